import { Button, Group, NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconMailForward, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Page } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { SecretDialog } from "@/ui/secret";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";

type Invitation = Row<"/admin/invitations/query">;

/** Scope is whose invitations are shown: all of them, or a team's to its admin. */
type Scope = "admin" | "team";

const stale = ["/admin/invitations", "/user/team/invitations"];
const paths = {
  admin: { query: "/admin/invitations/query", create: "/admin/invitations/create", remove: "/admin/invitations/delete" },
  team: {
    query: "/user/team/invitations/query",
    create: "/user/team/invitations/create",
    remove: "/user/team/invitations/delete",
  },
} as const;
const tones = { open: "info", used: "good", expired: "quiet" } as const;

/** InvitationsPage makes links that give new accounts. */
export function InvitationsPage() {
  const { t } = useTranslation("links");
  return (
    <Page title={t("title")} lead={t("lead")}>
      <InvitationList scope="admin" />
    </Page>
  );
}

/** InvitationList shows invitations and makes new ones. */
export function InvitationList({ scope }: { scope: Scope }) {
  const { t } = useTranslation("links");
  const { t: common } = useTranslation("common");
  const [opened, form] = useDisclosure();
  const [link, setLink] = useState<string | null>(null);
  const list = useRows(paths[scope].query, { sort: "-id" });
  const remove = useAction(paths[scope].remove, { stale, done: t("deleted") }).mutate;
  const columns: Column<Invitation>[] = [
    { id: "label", header: t("label"), cell: (i) => i.label || i.email || `#${i.id}` },
    { id: "state", header: t("state"), cell: (i) => <Status tone={tones[i.state]}>{t(`states.${i.state}`)}</Status> },
    { id: "expires", header: t("expires"), cell: (i) => <Time at={i.expires_at} /> },
    { id: "created", header: t("created"), from: "wide", cell: (i) => <Time at={i.created_at} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (i) =>
        i.state === "open" && (scope === "admin" || (!i.is_admin && i.team_role === "member")) ? (
          <RowMenu
            name={i.label || `#${i.id}`}
            items={[{ label: t("withdraw"), run: () => remove({ id: i.id }), danger: true }]}
          />
        ) : null,
    },
  ];
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={form.open}>
      {t("invite")}
    </Button>
  );
  return (
    <Stack gap="sm">
      <Group justify="flex-end">{create}</Group>
      <DataTable
        label={t("title")}
        columns={columns}
        list={list}
        rowId={(i) => String(i.id)}
        empty={
          <Empty icon={IconMailForward} title={t("emptyTitle")} action={create}>
            {t("emptyBody")}
          </Empty>
        }
      />
      <InvitationForm scope={scope} opened={opened} close={form.close} made={setLink} />
      <SecretDialog title={t("made")} label={t("made")} secret={link} onClose={() => setLink(null)}>
        <Text size="sm">{t("madeBody")}</Text>
      </SecretDialog>
    </Stack>
  );
}

interface FormProps {
  scope: Scope;
  opened: boolean;
  close: () => void;
  made: (link: string) => void;
}

function InvitationForm({ scope, opened, close, made }: FormProps) {
  const { t } = useTranslation("links");
  const admin = scope === "admin";
  const teams = useRows("/admin/teams/query", {}, { enabled: opened && admin });
  const form = useForm({ initialValues: { label: "", email: "", is_admin: false, team_id: null as string | null, days: 7 } });
  const write = useAction(paths[scope].create, { stale, quiet: true });
  const send = async ({ label, email, is_admin, team_id, days }: typeof form.values) => {
    const answer = await write.mutateAsync({
      label,
      expires_in_secs: days * 86_400,
      ...(email && { email }),
      ...(admin && { is_admin, ...(team_id && { team_id: Number(team_id) }) }),
    });
    made(answer.url);
  };
  return (
    <FormDrawer title={t("invite")} opened={opened} onClose={close} form={form} submit={t("invite")} onSubmit={send}>
      <TextInput label={t("label")} data-autofocus {...form.getInputProps("label")} />
      <TextInput label={t("email")} type="email" {...form.getInputProps("email")} />
      {admin && (
        <Select
          label={t("team")}
          placeholder={t("noTeam")}
          data={teams.rows.map((team) => ({ value: String(team.id), label: team.name }))}
          clearable
          {...form.getInputProps("team_id")}
        />
      )}
      <NumberInput label={t("days")} min={1} max={30} allowDecimal={false} {...form.getInputProps("days")} />
      {admin && (
        <Switch label={t("admin")} description={t("adminHint")} {...form.getInputProps("is_admin", { type: "checkbox" })} />
      )}
    </FormDrawer>
  );
}
