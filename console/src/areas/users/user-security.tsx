import { Button, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconDevices, IconLink, IconShieldLock } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { useMe } from "@/api/session";
import { useSignInProviders } from "@/api/sign-in-providers";
import type { Row, User } from "@/api/types";
import { useSessionColumns } from "@/areas/account/session-columns";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Card } from "@/ui/page";
import { SecretDialog } from "@/ui/secret";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";
import { usersStale } from "./actions";

type Factor = Row<"/admin/user-factors/query">;
type Identity = Row<"/admin/user-identities/query">;

/** UserSecurity is how a user signs in and where they are signed in. */
export function UserSecurity({ user }: { user: User }) {
  const me = useMe();
  return (
    <Stack>
      {user.id !== me.id && !user.is_super_admin && <ResetLink user={user} />}
      <Sessions user={user} />
      <Factors user={user} />
      <Identities user={user} />
      {me.is_super_admin && user.is_admin && user.enabled && user.id !== me.id && <HandOver user={user} />}
    </Stack>
  );
}

function ResetLink({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const [url, setUrl] = useState<string | null>(null);
  const make = useAction("/admin/users/reset-link", { stale: ["/admin/audit"] });
  return (
    <Card
      title={t("resetTitle")}
      aside={
        <Button
          variant="default"
          loading={make.isPending}
          onClick={() => make.mutate({ id: user.id }, { onSuccess: (made) => setUrl(made.url ?? "") })}
        >
          {t("resetLink")}
        </Button>
      }
    >
      <Text size="sm" c="dimmed">
        {t("resetLead")}
      </Text>
      <SecretDialog title={t("resetMade")} label={t("resetUrl")} secret={url} onClose={() => setUrl(null)} />
    </Card>
  );
}

function HandOver({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const write = useAction("/admin/users/hand-over", { stale: usersStale, done: t("handedOver") });
  const ask = async () => {
    const question = {
      title: t("handOverAsk", { name: user.name }),
      body: t("handOverLead", { name: user.name }),
      confirm: t("handOver"),
      danger: true,
      typed: user.name,
    };
    if (await confirm(question)) write.mutate({ id: user.id });
  };
  return (
    <Card
      title={t("handOverTitle")}
      aside={
        <Button variant="default" color="red" loading={write.isPending} onClick={() => void ask()}>
          {t("handOver")}
        </Button>
      }
    >
      <Text size="sm" c="dimmed">
        {t("handOverLead", { name: user.name })}
      </Text>
    </Card>
  );
}

function Sessions({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const list = useRows("/admin/user-sessions/query", { user_id: { eq: user.id } });
  const end = useAction("/admin/user-sessions/delete", { stale: ["/admin/user-sessions"], done: t("ended") });
  const endAll = async () => {
    const question = {
      title: t("endAllTitle", { name: user.name }),
      body: t("endAllBody"),
      confirm: t("endAll"),
      danger: true,
    };
    if (await confirm(question)) end.mutate({ user_id: user.id });
  };
  const columns = useSessionColumns((s) => (
    <Button size="compact-sm" variant="default" onClick={() => end.mutate({ id: s.id })}>
      {t("end")}
    </Button>
  ));
  return (
    <Card
      title={t("sessions")}
      aside={
        list.rows.length > 0 && (
          <Button variant="default" onClick={() => void endAll()}>
            {t("endAll")}
          </Button>
        )
      }
    >
      <DataTable
        label={t("sessions")}
        columns={columns}
        list={list}
        rowId={(s) => String(s.id)}
        empty={
          <Empty icon={IconDevices} title={t("noSessions")}>
            {t("noSessionsBody")}
          </Empty>
        }
      />
    </Card>
  );
}

function Factors({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const list = useRows("/admin/user-factors/query", { user_id: { eq: user.id } });
  const remove = useAction("/admin/user-factors/delete", {
    stale: ["/admin/user-factors", "/admin/users"],
    done: t("saved"),
  }).mutate;
  const drop = async (f: Factor) => {
    const question = {
      title: t("dropFactorTitle", { name: f.label || t(`factorKind.${f.kind}`) }),
      body: t("dropFactorBody"),
      confirm: t("dropFactor"),
      danger: true,
    };
    if (await confirm(question)) remove({ id: f.id });
  };
  const columns: Column<Factor>[] = [
    { id: "label", header: t("factor"), cell: (f) => f.label || t(`factorKind.${f.kind}`) },
    {
      id: "kind",
      header: t("method"),
      from: "wide",
      cell: (f) => (f.confirmed ? t(`factorKind.${f.kind}`) : <Status tone="warn">{t("unconfirmed")}</Status>),
    },
    { id: "used", header: t("lastSeen"), cell: (f) => <Time at={f.last_used_at} /> },
    {
      id: "drop",
      header: "",
      label: t("dropFactor"),
      align: "end",
      cell: (f) => (
        <Button size="compact-sm" variant="default" onClick={() => void drop(f)}>
          {t("dropFactor")}
        </Button>
      ),
    },
  ];
  return (
    <Card title={t("factors")}>
      <Text size="sm" c="dimmed">
        {t("factorsLead")}
      </Text>
      <DataTable
        label={t("factors")}
        columns={columns}
        list={list}
        rowId={(f) => String(f.id)}
        empty={
          <Empty icon={IconShieldLock} title={t("noFactors")}>
            {t("noFactorsBody")}
          </Empty>
        }
      />
    </Card>
  );
}

const identitiesStale = ["/admin/user-identities", "/admin/user-sessions", "/admin/users"];

function Identities({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const [opened, form] = useDisclosure();
  const list = useRows("/admin/user-identities/query", { user_id: { eq: user.id } });
  const remove = useAction("/admin/user-identities/delete", { stale: identitiesStale, done: t("saved") }).mutate;
  const drop = async ({ id }: Identity) => {
    const question = { title: t("unlinkTitle"), body: t("unlinkBody"), confirm: t("unlink"), danger: true };
    if (await confirm(question)) remove({ id });
  };
  const columns: Column<Identity>[] = [
    { id: "provider", header: t("provider"), cell: (i) => i.provider },
    {
      id: "subject",
      header: t("subject"),
      cell: (i) => (
        <Text size="sm" lineClamp={1} title={i.subject}>
          {i.email || i.subject}
        </Text>
      ),
    },
    { id: "used", header: t("lastSeen"), from: "wide", cell: (i) => <Time at={i.last_used_at} /> },
    {
      id: "unlink",
      header: "",
      label: t("unlink"),
      align: "end",
      cell: (i) => (
        <Button size="compact-sm" variant="default" onClick={() => void drop(i)}>
          {t("unlink")}
        </Button>
      ),
    },
  ];
  const add = (
    <Button variant="default" onClick={form.open}>
      {t("link")}
    </Button>
  );
  return (
    <Card title={t("identities")} aside={add}>
      <Text size="sm" c="dimmed">
        {t("identitiesLead")}
      </Text>
      <DataTable
        label={t("identities")}
        columns={columns}
        list={list}
        rowId={(i) => String(i.id)}
        empty={
          <Empty icon={IconLink} title={t("noIdentities")}>
            {t("noIdentitiesBody")}
          </Empty>
        }
      />
      <IdentityForm user={user} opened={opened} close={form.close} />
    </Card>
  );
}

function IdentityForm({ user, opened, close }: { user: User; opened: boolean; close: () => void }) {
  const { t } = useTranslation("users");
  const providers = useSignInProviders(opened);
  const form = useForm({ initialValues: { provider: null as string | null, subject: "" } });
  const write = useAction("/admin/user-identities/upsert", { stale: identitiesStale, done: t("linked"), quiet: true });
  return (
    <FormDrawer
      title={t("linkTitle")}
      opened={opened}
      onClose={close}
      form={form}
      submit={t("link")}
      onSubmit={({ provider, subject }) => write.mutateAsync({ user_id: user.id, provider: provider ?? "", subject })}
    >
      <Select
        label={t("provider")}
        data={providers.rows.map((p) => ({ value: p.name, label: p.display_name || p.name }))}
        nothingFoundMessage={t("noProviders")}
        required
        data-autofocus
        {...form.getInputProps("provider")}
      />
      <TextInput label={t("subject")} description={t("subjectHint")} required {...form.getInputProps("subject")} />
    </FormDrawer>
  );
}
