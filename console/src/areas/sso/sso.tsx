import { Button } from "@mantine/core";
import { IconLogin2, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { type SignInProvider, useSignInProviders } from "@/api/sign-in-providers";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Enabled, Status } from "@/ui/status";
import { type Editing, ProviderForm, ssoStale } from "./provider-form";

/** SignInProvidersPage keeps what people may sign in with besides a password. */
export function SignInProvidersPage() {
  const { t } = useTranslation("sso");
  const [editing, setEditing] = useState<Editing>(null);
  const list = useSignInProviders();
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
        rowId={(p) => p.name}
        empty={
          <Empty icon={IconLogin2} title={t("emptyTitle")} action={create}>
            {t("emptyBody")}
          </Empty>
        }
      />
      <ProviderForm editing={editing} close={() => setEditing(null)} />
    </Page>
  );
}

function useColumns(edit: (provider: SignInProvider) => void): Column<SignInProvider>[] {
  const { t } = useTranslation("sso");
  const { t: common } = useTranslation("common");
  const remove = useAction("/admin/sso-providers/delete", { stale: ssoStale, done: t("deleted") }).mutate;
  const drop = async ({ id, name }: SignInProvider) => {
    const question = {
      title: t("deleteTitle", { name }),
      body: t("deleteBody"),
      confirm: common("delete"),
      danger: true,
      typed: name,
    };
    if (await confirm(question)) remove({ id });
  };
  return [
    { id: "name", header: t("name"), cell: (p) => p.display_name || p.name },
    { id: "kind", header: t("kind"), cell: (p) => t(`kinds.${p.kind}`) },
    { id: "issuer", header: t("issuer"), from: "wide", cell: (p) => p.issuer || "–" },
    {
      id: "state",
      header: t("state"),
      cell: (p) => (p.enabled && !p.in_force ? <Status tone="warn">{t("waits")}</Status> : <Enabled enabled={p.enabled} />),
    },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (p) =>
        p.read_only ? (
          <Status tone="quiet">{t("fromFile")}</Status>
        ) : (
          <RowMenu
            name={p.name}
            items={[
              { label: common("edit"), run: () => edit(p) },
              { label: common("delete"), run: () => void drop(p), danger: true },
            ]}
          />
        ),
    },
  ];
}
