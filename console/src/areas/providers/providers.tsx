import { Anchor, Button } from "@mantine/core";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Enabled } from "@/ui/status";
import { Time } from "@/ui/time";
import { useProviderActions } from "./actions";
import { type Editing, type Provider, ProviderForm } from "./provider-form";

/** ProvidersPage lists where calls go. */
export function ProvidersPage() {
  const { t } = useTranslation("providers");
  const { t: common } = useTranslation("common");
  const [editing, setEditing] = useState<Editing>(null);
  const list = useRows("/admin/providers/query", {});
  const actionsOf = useProviderActions(setEditing);
  const columns: Column<Provider>[] = [
    {
      id: "name",
      header: t("name"),
      cell: (p) => (
        <Anchor
          size="sm"
          fw={550}
          renderRoot={(props) => <Link to="/admin/providers/$id" params={{ id: String(p.id) }} {...props} />}
        >
          {p.name}
        </Anchor>
      ),
    },
    { id: "kind", header: t("kind"), cell: (p) => p.kind },
    { id: "url", header: t("baseUrl"), from: "wider", cell: (p) => p.base_url || t("kindOwn") },
    { id: "state", header: t("state"), cell: (p) => <Enabled enabled={p.enabled} /> },
    { id: "created", header: t("created"), from: "wide", cell: (p) => <Time at={p.created_at} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (p) => <RowMenu name={p.name} items={actionsOf(p)} />,
    },
  ];
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
        rowId={(p) => String(p.id)}
        empty={
          <Empty icon={IconPlugConnected} title={t("emptyTitle")} action={create}>
            {t("emptyBody")}
          </Empty>
        }
      />
      <ProviderForm editing={editing} onClose={() => setEditing(null)} />
    </Page>
  );
}
