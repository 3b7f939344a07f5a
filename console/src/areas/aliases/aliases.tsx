import { Button, Select, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconArrowsShuffle, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useProviderNames } from "@/api/names";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Page } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Enabled } from "@/ui/status";

type Alias = Row<"/admin/model-aliases/query">;
type Editing = Alias | "new" | null;

const stale = ["/admin/model-aliases", "/user/models"];

/** AliasesPage keeps the names that stand for models. */
export function AliasesPage() {
  const { t } = useTranslation("aliases");
  const [editing, setEditing] = useState<Editing>(null);
  const list = useRows("/admin/model-aliases/query", {});
  const columns = useColumns(setEditing);
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing("new")}>
      {t("create")}
    </Button>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={create}>
      <DataTable
        label={t("title")}
        columns={columns}
        list={list}
        rowId={(a) => String(a.id)}
        empty={
          <Empty icon={IconArrowsShuffle} title={t("emptyTitle")} action={create}>
            {t("emptyBody")}
          </Empty>
        }
      />
      <AliasForm editing={editing} close={() => setEditing(null)} />
    </Page>
  );
}

function useColumns(edit: (alias: Alias) => void): Column<Alias>[] {
  const { t } = useTranslation("aliases");
  const { t: common } = useTranslation("common");
  const providerOf = useProviderNames();
  const write = useAction("/admin/model-aliases/upsert", { stale, done: t("saved") }).mutate;
  const remove = useAction("/admin/model-aliases/delete", { stale, done: t("deleted") }).mutate;
  const drop = async ({ id, alias }: Alias) => {
    const question = { title: t("deleteTitle", { name: alias }), body: t("deleteBody"), confirm: common("delete"), danger: true };
    if (await confirm(question)) remove({ id });
  };
  return [
    { id: "alias", header: t("alias"), cell: (a) => a.alias },
    { id: "target", header: t("target"), cell: (a) => a.target },
    { id: "provider", header: t("provider"), from: "wide", cell: (a) => (a.provider_id ? providerOf(a.provider_id) : "–") },
    { id: "state", header: t("state"), from: "wide", cell: (a) => <Enabled enabled={a.enabled} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (a) => (
        <RowMenu
          name={a.alias}
          items={[
            { label: common("edit"), run: () => edit(a) },
            { label: a.enabled ? t("deactivate") : t("activate"), run: () => write({ id: a.id, enabled: !a.enabled }) },
            { label: common("delete"), run: () => void drop(a), danger: true },
          ]}
        />
      ),
    },
  ];
}

function valuesOf(editing: Editing) {
  const alias = editing === "new" ? null : editing;
  return {
    alias: alias?.alias ?? "",
    target: alias?.target ?? "",
    provider_id: alias?.provider_id ? String(alias.provider_id) : null,
    enabled: alias?.enabled ?? true,
  };
}

function AliasForm({ editing, close }: { editing: Editing; close: () => void }) {
  const { t } = useTranslation("aliases");
  const { t: common } = useTranslation("common");
  const { rows: providers } = useRows("/admin/providers/query", {}, { pageSize: 1000 });
  const form = useForm({ initialValues: valuesOf(null) });
  const write = useAction("/admin/model-aliases/upsert", { stale, done: t("saved"), quiet: true });
  const send = ({ provider_id, ...rest }: ReturnType<typeof valuesOf>) =>
    write.mutateAsync({
      ...(editing !== "new" && editing !== null && { id: editing.id }),
      ...rest,
      provider_id: provider_id === null ? null : Number(provider_id),
    });
  return (
    <FormDrawer
      title={editing === "new" || editing === null ? t("create") : t("edit", { name: editing.alias })}
      opened={editing !== null}
      onClose={close}
      form={form}
      begin={() => valuesOf(editing)}
      submit={editing === "new" ? t("create") : common("save")}
      onSubmit={send}
    >
      <TextInput label={t("alias")} required autoComplete="off" data-autofocus {...form.getInputProps("alias")} />
      <TextInput
        label={t("target")}
        description={t("targetHint")}
        required
        autoComplete="off"
        {...form.getInputProps("target")}
      />
      <Select
        label={t("provider")}
        placeholder={t("anyProvider")}
        data={providers.map(({ id, name }) => ({ value: String(id), label: name }))}
        clearable
        searchable
        {...form.getInputProps("provider_id")}
      />
      <Switch label={t("active")} {...form.getInputProps("enabled", { type: "checkbox" })} />
    </FormDrawer>
  );
}
