import { ActionIcon, Button, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

/** Copy puts value on the clipboard; with a label as a button, else as an icon. */
export function Copy({ value, label }: { value: string; label?: string }) {
  const { t } = useTranslation("common");
  return (
    <CopyButton value={value} timeout={1600}>
      {({ copied, copy }) => {
        const Sign = copied ? IconCheck : IconCopy;
        const words = copied ? t("copied") : (label ?? t("copy"));
        if (label) {
          return (
            <Button variant="default" onClick={copy} leftSection={<Sign size={16} aria-hidden />}>
              {words}
            </Button>
          );
        }
        return (
          <Tooltip label={words}>
            <ActionIcon variant="subtle" color={copied ? "pine" : "gray"} onClick={copy} aria-label={words}>
              <Sign size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        );
      }}
    </CopyButton>
  );
}
