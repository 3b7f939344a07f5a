import { Text } from "@mantine/core";
import { IconUsersGroup } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { KeyForm } from "@/areas/keys/key-form";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { RowMenu } from "@/ui/row-menu";
import { SecretDialog } from "@/ui/secret";
import { Enabled, Status } from "@/ui/status";
import { Time } from "@/ui/time";

type Member = Row<"/user/team/members/query">;

/** What changes of a team make old. */
export const teamStale = ["/user/team", "/user/keys"];

/** Members lists who is in the team, with what its admin can do for them. */
export function Members() {
  const { t } = useTranslation("team");
  const { t: common } = useTranslation("common");
  const [sort, setSort] = useState<string | undefined>("name");
  const [keyFor, setKeyFor] = useState<number | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const list = useRows("/user/team/members/query", { sort });
  const generate = useAction("/user/team/keys/generate", { stale: teamStale, quiet: true });
  const remove = useAction("/user/team/members/remove", { stale: teamStale, done: t("removed") }).mutate;
  const columns = useMemo((): Column<Member>[] => {
    const takeOut = async ({ id, name }: Member) => {
      const question = { title: t("removeTitle", { name }), body: t("removeBody"), confirm: t("remove"), danger: true };
      if (await confirm(question)) remove({ id });
    };
    return [
      { id: "name", header: t("name"), sort: "name", cell: (m) => m.name },
      {
        id: "role",
        header: t("role"),
        cell: (m) => <Status tone={m.team_role === "admin" ? "info" : "quiet"}>{t(`roles.${m.team_role}`)}</Status>,
      },
      { id: "state", header: t("state"), from: "wide", cell: (m) => <Enabled enabled={m.enabled} /> },
      { id: "login", header: t("lastLogin"), sort: "last_login_at", from: "wide", cell: (m) => <Time at={m.last_login_at} /> },
      {
        id: "menu",
        header: "",
        label: common("actions"),
        align: "end",
        cell: (m) =>
          m.manageable ? (
            <RowMenu
              name={m.name}
              items={[
                { label: t("makeKey"), run: () => setKeyFor(m.id) },
                { label: t("remove"), run: () => void takeOut(m), danger: true },
              ]}
            />
          ) : null,
      },
    ];
  }, [t, common, remove]);
  return (
    <>
      <DataTable
        label={t("tabs.members")}
        columns={columns}
        list={list}
        rowId={(m) => String(m.id)}
        sort={sort}
        onSort={setSort}
        empty={
          <Empty icon={IconUsersGroup} title={t("membersEmptyTitle")}>
            {t("membersEmptyBody")}
          </Empty>
        }
      />
      <KeyForm
        opened={keyFor !== null}
        onClose={() => setKeyFor(null)}
        generate={async (draft) => setSecret((await generate.mutateAsync({ user_id: keyFor ?? 0, ...draft })).api_key)}
      />
      <SecretDialog title={t("made")} label={t("madeLabel")} secret={secret} onClose={() => setSecret(null)}>
        <Text size="sm">{t("madeBody")}</Text>
      </SecretDialog>
    </>
  );
}
