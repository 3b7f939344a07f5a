import { Button, Select, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useProviderNames } from "@/api/names";
import { useRows } from "@/api/rows";
import type { Schema } from "@/api/types";
import { useRemoval } from "@/areas/grants/use-removal";
import { FormDrawer } from "@/ui/form-drawer";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";
import { Nothing, SmallTable } from "@/ui/small-table";
import { usersStale } from "./actions";

/** FilePermissions are the providers where a user may keep files. */
export function FilePermissions({ user, byRole }: { user: number; byRole: Schema<"Right">[] }) {
  const { t } = useTranslation("users");
  const { t: rights } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const [opened, form] = useDisclosure();
  const list = useRows("/admin/user-file-permissions/query", { user_id: { eq: user } });
  const remove = useAction("/admin/user-file-permissions/delete", { stale: usersStale, done: t("saved") }).mutate;
  const ask = useRemoval();
  const providerName = useProviderNames();
  const nameOf = (id: number | null) => (id === null ? rights("everyProvider") : providerName(id));
  const add = (
    <Button variant="default" size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={form.open}>
      {t("addFiles")}
    </Button>
  );
  return (
    <Card title={t("files")} aside={add}>
      <Text size="sm" c="dimmed">
        {t("filesLead")}
      </Text>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {!list.isPending && byRole.length + list.rows.length === 0 ? (
        <Nothing>{t("noFiles")}</Nothing>
      ) : (
        <SmallTable
          heads={[rights("provider"), rights("from"), common("actions")]}
          rows={[
            ...byRole.map((p) => ({
              key: `role ${p.provider}`,
              cells: [nameOf(p.provider_id), rights("origin.admin_role"), ""],
            })),
            ...list.rows.map((p) => ({
              key: String(p.id),
              cells: [
                nameOf(p.provider_id),
                rights("origin.own"),
                <RowMenu
                  key="menu"
                  name={nameOf(p.provider_id)}
                  items={[{ label: rights("remove"), run: () => ask(() => remove({ id: p.id })), danger: true }]}
                />,
              ],
            })),
          ]}
        />
      )}
      <FilePermissionForm user={user} opened={opened} close={form.close} />
    </Card>
  );
}

function FilePermissionForm({ user, opened, close }: { user: number; opened: boolean; close: () => void }) {
  const { t } = useTranslation("users");
  const { t: rights } = useTranslation("grants");
  const providers = useRows("/admin/providers/query", {}, { enabled: opened });
  const form = useForm({ initialValues: { provider_id: null as string | null } });
  const write = useAction("/admin/user-file-permissions/upsert", { stale: usersStale, done: t("saved"), quiet: true });
  return (
    <FormDrawer
      title={t("addFiles")}
      opened={opened}
      onClose={close}
      form={form}
      submit={t("addFiles")}
      onSubmit={({ provider_id }) => write.mutateAsync({ user_id: user, provider_id: provider_id ? Number(provider_id) : null })}
    >
      <Select
        label={rights("provider")}
        placeholder={rights("everyProvider")}
        data={providers.rows.map((p) => ({ value: String(p.id), label: p.name }))}
        clearable
        data-autofocus
        {...form.getInputProps("provider_id")}
      />
    </FormDrawer>
  );
}
