import { Anchor, Button, Select, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconUserPlus, IconUsersGroup } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { useMe } from "@/api/session";
import type { User } from "@/api/types";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Card } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Enabled, Status } from "@/ui/status";
import { Time } from "@/ui/time";
import { type Team, teamsStale } from "./actions";

/** Members are the people of a team: who comes in, who leads it, who goes. */
export function Members({ team }: { team: Team }) {
  const { t } = useTranslation("teams");
  const [opened, form] = useDisclosure();
  const list = useRows("/admin/teams/members/query", { team_id: { eq: team.id }, sort: "name" });
  const columns = useColumns(team);
  const add = (
    <Button variant="default" leftSection={<IconUserPlus size={16} aria-hidden />} onClick={form.open}>
      {t("add")}
    </Button>
  );
  return (
    <Card title={t("members")} aside={list.rows.length > 0 && add}>
      <Text size="sm" c="dimmed">
        {t("membersLead")}
      </Text>
      <DataTable
        label={t("members")}
        columns={columns}
        list={list}
        rowId={(u) => String(u.id)}
        empty={
          <Empty icon={IconUsersGroup} title={t("noMember")} action={add}>
            {t("noMemberBody")}
          </Empty>
        }
      />
      <MemberForm team={team} opened={opened} close={form.close} />
    </Card>
  );
}

function useColumns(team: Team): Column<User>[] {
  const { t } = useTranslation("teams");
  const { t: common } = useTranslation("common");
  const me = useMe();
  const setRole = useAction("/admin/teams/members/set-role", { stale: teamsStale, done: t("saved") }).mutate;
  const remove = useAction("/admin/teams/members/remove", { stale: teamsStale, done: t("removed") }).mutate;
  const drop = async ({ id, name }: User) => {
    const question = {
      title: t("removeTitle", { name, team: team.name }),
      body: t("removeBody"),
      confirm: t("remove"),
      danger: true,
    };
    if (await confirm(question)) remove({ team_id: team.id, id });
  };
  const turn = ({ id, team_role }: User) =>
    setRole({ team_id: team.id, id, team_role: team_role === "admin" ? "member" : "admin" });
  return [
    {
      id: "name",
      header: t("name"),
      cell: (u) => (
        <Stack gap={0}>
          <Anchor
            size="sm"
            fw={550}
            lineClamp={1}
            renderRoot={(props) => <Link to="/admin/users/$id" params={{ id: String(u.id) }} {...props} />}
          >
            {u.name}
          </Anchor>
          {u.email && (
            <Text size="xs" c="dimmed" lineClamp={1}>
              {u.email}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      id: "role",
      header: t("teamRole"),
      cell: (u) => (
        <Status tone={u.team_role === "admin" ? "info" : "quiet"}>
          {u.team_role === "admin" ? t("roles.admin") : t("roles.member")}
        </Status>
      ),
    },
    { id: "state", header: t("state"), from: "wide", cell: (u) => <Enabled enabled={u.enabled} /> },
    { id: "login", header: t("lastLogin"), from: "wide", cell: (u) => <Time at={u.last_login_at} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      // The super admin is in nobody's hands but their own.
      cell: (u) =>
        u.is_super_admin && u.id !== me.id ? null : (
          <RowMenu
            name={u.name}
            items={[
              { label: u.team_role === "admin" ? t("toMember") : t("toAdmin"), run: () => turn(u) },
              { label: t("remove"), run: () => void drop(u), danger: true },
            ]}
          />
        ),
    },
  ];
}

function MemberForm({ team, opened, close }: { team: Team; opened: boolean; close: () => void }) {
  const { t } = useTranslation("teams");
  const form = useForm({
    initialValues: { id: null as string | null, team_role: "member" },
    validate: { id: (value) => (value ? null : t("chooseUser")) },
  });
  const users = useRows("/admin/users/query", { sort: "name" }, { pageSize: 1000, all: true, enabled: opened });
  const teams = useRows("/admin/teams/query", {}, { pageSize: 1000, all: true, enabled: opened });
  const write = useAction("/admin/teams/members/add", { stale: teamsStale, done: t("added"), quiet: true });
  const nameOf = (id: number) => teams.rows.find((other) => other.id === id)?.name ?? `#${id}`;
  // Who is in another team stays in the list, with the reason why they cannot be chosen.
  const choice = users.rows
    .filter((u) => u.team_id !== team.id)
    .map((u) => ({
      value: String(u.id),
      label: u.team_id === null ? u.name : t("inTeam", { name: u.name, team: nameOf(u.team_id) }),
      disabled: u.team_id !== null,
    }));
  return (
    <FormDrawer
      title={t("addTitle", { team: team.name })}
      opened={opened}
      onClose={close}
      form={form}
      submit={t("add")}
      onSubmit={({ id, team_role }) =>
        write.mutateAsync({ team_id: team.id, id: Number(id), team_role: team_role as "member" | "admin" })
      }
    >
      <Select
        label={t("user")}
        description={t("userHint")}
        placeholder={t("chooseUser")}
        data={choice}
        searchable
        limit={50}
        nothingFoundMessage={t("nobody")}
        required
        data-autofocus
        {...form.getInputProps("id")}
      />
      <Select
        label={t("teamRole")}
        description={form.values.team_role === "admin" ? t("adminHint") : t("memberHint")}
        data={(["member", "admin"] as const).map((value) => ({ value, label: t(`roles.${value}`) }))}
        allowDeselect={false}
        {...form.getInputProps("team_role")}
      />
    </FormDrawer>
  );
}
