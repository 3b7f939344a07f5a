import { Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows, useWhole } from "@/api/rows";
import type { Row } from "@/api/types";
import { confirm } from "@/ui/confirm";
import { CredentialState } from "@/ui/credential-state";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Card } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Enabled, Status } from "@/ui/status";
import { Time } from "@/ui/time";

type Credential = Row<"/admin/credentials/query">;

const stale = ["/admin/credential"];

/** Credentials are a provider's, with how they fare. */
export function Credentials({ provider, kind }: { provider: number; kind: string }) {
  const { t } = useTranslation("providers");
  const { t: common } = useTranslation("common");
  const [opened, form] = useDisclosure();
  const list = useRows("/admin/credentials/query", { provider_id: { eq: provider } });
  const health = useWhole("/admin/credential-statuses/query", {}, { refetchInterval: 15_000 });
  const write = useAction("/admin/credentials/upsert", { stale, done: t("credentialSaved") }).mutate;
  const remove = useAction("/admin/credentials/delete", { stale, done: t("credentialDeleted") }).mutate;
  const drop = async ({ id }: Credential) => {
    const question = {
      title: t("credentialDelete"),
      body: t("credentialDeleteBody"),
      confirm: common("delete"),
      danger: true,
    };
    if (await confirm(question)) remove({ id });
  };
  const statusOf = (id: number) => health.rows.find((s) => s.credential_id === id);
  const columns: Column<Credential>[] = [
    { id: "label", header: t("label"), cell: (c) => c.label || `#${c.id}` },
    {
      id: "secret",
      header: t("secret"),
      cell: (c) => (c.needs_secret ? <Status tone="warn">{t("needsSecret")}</Status> : `…${c.last4}`),
    },
    { id: "origin", header: t("origin"), from: "wider", cell: (c) => c.origin || "–" },
    { id: "state", header: t("state"), from: "wide", cell: (c) => <Enabled enabled={c.enabled} /> },
    {
      id: "health",
      header: t("health"),
      cell: (c) => {
        const s = statusOf(c.id);
        return s ? <CredentialState of={s} /> : "–";
      },
    },
    { id: "success", header: t("lastSuccess"), from: "wide", cell: (c) => <Time at={statusOf(c.id)?.last_success_at} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (c) => (
        <RowMenu
          name={c.label || `#${c.id}`}
          items={[
            { label: c.enabled ? t("deactivate") : t("activate"), run: () => write({ id: c.id, enabled: !c.enabled }) },
            { label: common("delete"), run: () => void drop(c), danger: true },
          ]}
        />
      ),
    },
  ];
  const add = (
    <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={form.open}>
      {t("addCredential")}
    </Button>
  );
  return (
    <Card title={t("credentials")} aside={add}>
      <Text size="sm" c="dimmed">
        {t("credentialsLead")}
      </Text>
      <DataTable
        label={t("credentials")}
        columns={columns}
        list={list}
        rowId={(c) => String(c.id)}
        empty={
          <Empty icon={IconKey} title={t("credentials")}>
            {t(kind === "demo" ? "noneNeeded" : "noCredentials")}
          </Empty>
        }
      />
      <CredentialForm provider={provider} opened={opened} close={form.close} />
    </Card>
  );
}

function CredentialForm({ provider, opened, close }: { provider: number; opened: boolean; close: () => void }) {
  const { t } = useTranslation("providers");
  const { t: common } = useTranslation("common");
  const form = useForm({ initialValues: { label: "", api_key: "" } });
  const write = useAction("/admin/credentials/upsert", { stale, done: t("credentialSaved"), quiet: true });
  return (
    <FormDrawer
      title={t("credentialTitle")}
      opened={opened}
      onClose={close}
      form={form}
      submit={common("create")}
      onSubmit={({ label, api_key }) => write.mutateAsync({ provider_id: provider, label: label || null, api_key })}
    >
      <TextInput label={t("label")} data-autofocus {...form.getInputProps("label")} />
      <PasswordInput
        label={t("apiKey")}
        description={t("apiKeyHint")}
        autoComplete="off"
        required
        {...form.getInputProps("api_key")}
      />
    </FormDrawer>
  );
}
