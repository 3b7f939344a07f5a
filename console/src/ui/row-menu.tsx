import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

export interface RowAction {
  label: string;
  run: () => void;
  danger?: boolean;
}

/** RowMenu is what can be done with one row. */
export function RowMenu({ name, items }: { name: string; items: RowAction[] }) {
  const { t } = useTranslation("common");
  if (items.length === 0) return null;
  return (
    <Menu position="bottom-end" shadow="md" width={200}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`${t("actions")}: ${name}`}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {items.map(({ label, run, danger }) => (
          <Menu.Item key={label} onClick={run} color={danger ? "red" : undefined}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
