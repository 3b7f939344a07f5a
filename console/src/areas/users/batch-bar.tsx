import { Button, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { confirm } from "@/ui/confirm";
import { usersStale } from "./actions";

/** BatchBar does one thing to all users that are selected, whole or not at all. */
export function BatchBar({ ids, done }: { ids: number[]; done: () => void }) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const write = useAction("/admin/users/batch-upsert", { stale: usersStale, done: t("saved") }).mutate;
  const remove = useAction("/admin/users/batch-delete", { stale: usersStale, done: t("deleted") }).mutate;
  const count = ids.length;
  const setEnabled = (enabled: boolean) =>
    write(
      ids.map((id) => ({ id, enabled })),
      { onSuccess: done },
    );
  const deactivate = async () => {
    const question = {
      title: t("batchDeactivateTitle", { count }),
      body: t("deactivateBody"),
      confirm: t("deactivate"),
      danger: true,
    };
    if (await confirm(question)) setEnabled(false);
  };
  const drop = async () => {
    const question = {
      title: t("batchDeleteTitle", { count }),
      body: t("deleteBody"),
      confirm: common("delete"),
      danger: true,
      typed: String(count),
    };
    if (await confirm(question)) remove(ids, { onSuccess: done });
  };
  return (
    <Group gap="xs" role="toolbar" aria-label={common("actions")}>
      <Text size="sm" fw={550} mr="xs">
        {common("selected", { count })}
      </Text>
      <Button size="xs" variant="default" onClick={() => setEnabled(true)}>
        {t("activate")}
      </Button>
      <Button size="xs" variant="default" onClick={deactivate}>
        {t("deactivate")}
      </Button>
      <Button size="xs" variant="default" c="var(--mantine-color-error)" onClick={drop}>
        {common("delete")}
      </Button>
    </Group>
  );
}
