import { Anchor, Button, Stack, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconPlus, IconSearch, IconUsersGroup } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import type { Quota } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Money } from "@/ui/money";
import { Page } from "@/ui/page";
import { QuotaLine, shareOf } from "@/ui/quota";
import { RowMenu } from "@/ui/row-menu";
import { Time } from "@/ui/time";
import { type Team, useTeamActions } from "./actions";
import { type Editing, TeamForm } from "./team-form";
import { useTeamSpend } from "./use-team-spend";

const route = getRouteApi("/_app/admin/teams/");

/** TeamsPage lists the teams with their people and their money. */
export function TeamsPage() {
  const { t } = useTranslation("teams");
  const [editing, setEditing] = useState<Editing>(null);
  const { q, sort } = route.useSearch();
  const navigate = route.useNavigate();
  // The API finds whole names only, so a search reads the list to its end and looks for parts of names here.
  const list = useRows("/admin/teams/query", { sort }, { pageSize: q ? 1000 : 100, all: q !== undefined });
  const rows = useMemo(() => {
    const part = q?.toLowerCase();
    return part ? list.rows.filter((team) => team.name.toLowerCase().includes(part)) : list.rows;
  }, [list.rows, q]);
  const columns = useColumns(setEditing);
  const search = useDebouncedCallback(
    (text: string) => void navigate({ search: (now) => ({ ...now, q: text || undefined }), replace: true }),
    200,
  );
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing("new")}>
      {t("create")}
    </Button>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={create}>
      <Stack gap="sm">
        {(list.rows.length > 0 || q) && (
          <TextInput
            aria-label={t("search")}
            placeholder={t("search")}
            leftSection={<IconSearch size={16} aria-hidden />}
            defaultValue={q}
            onChange={(event) => search(event.currentTarget.value)}
            data-page-search
            maw={360}
          />
        )}
        <DataTable
          label={t("title")}
          columns={columns}
          list={{ ...list, rows }}
          rowId={(team) => String(team.id)}
          sort={sort}
          onSort={(next) => void navigate({ search: (now) => ({ ...now, sort: next }), replace: true })}
          empty={q ? <NoMatch /> : <NoTeam action={create} />}
        />
      </Stack>
      <TeamForm
        editing={editing}
        onClose={() => setEditing(null)}
        made={(id) => void navigate({ to: "/admin/teams/$id", params: { id: String(id) } })}
      />
    </Page>
  );
}

function NoMatch() {
  const { t } = useTranslation("common");
  const navigate = route.useNavigate();
  const clear = (
    <Button variant="default" onClick={() => void navigate({ search: {} })}>
      {t("clearFilters")}
    </Button>
  );
  return (
    <Empty icon={IconSearch} title={t("noMatch")} action={clear}>
      {t("noMatchBody")}
    </Empty>
  );
}

function NoTeam({ action }: { action: ReactNode }) {
  const { t } = useTranslation("teams");
  return (
    <Empty icon={IconUsersGroup} title={t("emptyTitle")} action={action}>
      {t("emptyBody")}
    </Empty>
  );
}

function useColumns(edit: (team: Team) => void): Column<Team>[] {
  const { t } = useTranslation("teams");
  const { t: common } = useTranslation("common");
  const { t: rights } = useTranslation("grants");
  const format = useFormat();
  const actionsOf = useTeamActions(edit);
  const spend = useTeamSpend();
  const quotas = useRows("/admin/quotas/query", { scope: { eq: "team" } }, { pageSize: 1000, all: true })
    .rows as unknown as Quota[];
  return [
    {
      id: "name",
      header: t("name"),
      sort: "name",
      cell: (team) => (
        <Anchor
          size="sm"
          fw={550}
          lineClamp={1}
          renderRoot={(props) => <Link to="/admin/teams/$id" params={{ id: String(team.id) }} {...props} />}
        >
          {team.name}
        </Anchor>
      ),
    },
    { id: "members", header: t("members"), align: "end", cell: (team) => format.number(team.members) },
    {
      id: "budget",
      header: t("budget"),
      from: "wide",
      cell: (team) => {
        const own = quotas.filter((quota) => quota.team_id === team.id);
        const tightest = own.sort((a, b) => shareOf(b) - shareOf(a))[0];
        return tightest ? <QuotaLine quota={tightest} name={rights(`window.${tightest.window}`)} /> : common("none");
      },
    },
    { id: "spend", header: t("spend"), align: "end", cell: (team) => <Money dollars={spend(team.id)?.cost ?? 0} /> },
    { id: "created", header: t("created"), sort: "created_at", from: "wider", cell: (team) => <Time at={team.created_at} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (team) => <RowMenu name={team.name} items={actionsOf(team)} />,
    },
  ];
}
