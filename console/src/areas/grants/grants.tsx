import { Anchor, Button, Group, Select } from "@mantine/core";
import { IconGauge, IconLockAccess, IconPlus, IconWallet } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useProviderNames, useTeamNames, useUserNames } from "@/api/names";
import { type Rows, useRows } from "@/api/rows";
import type { Quota, Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { PageTabs } from "@/ui/page-tabs";
import { QuotaLine } from "@/ui/quota";
import { RowMenu } from "@/ui/row-menu";
import { Time } from "@/ui/time";
import { bounds, type LimitEditing, LimitForm, limitPaths } from "./limit-form";
import { idOf, type Owner, ownedBy, ownerOf, type RateLimit, rightsStale } from "./owner";
import { type PermissionEditing, PermissionForm, permissionPaths } from "./permission-form";
import { type QuotaEditing, QuotaForm, quotaPaths } from "./quota-form";
import { type GrantSearch, scopes, tabs } from "./search";
import { useRemoval } from "./use-removal";

const route = getRouteApi("/_app/admin/grants");

/** GrantsPage is what everybody may call, spend, and how fast. */
export function GrantsPage() {
  const { t } = useTranslation("grants");
  const { tab = "permissions", scope } = route.useSearch();
  const navigate = route.useNavigate();
  const open = (search: GrantSearch) => void navigate({ search, replace: true });
  return (
    <Page title={t("title")} lead={t("lead")}>
      <PageTabs
        tabs={tabs}
        tab={tab}
        name={(tab) => t(`tabs.${tab}`)}
        open={(tab) => open({ tab, scope })}
        panels={{
          permissions: <AllPermissions scope={scope} choose={(next) => open({ tab, scope: next })} />,
          budgets: <AllBudgets scope={scope} choose={(next) => open({ tab, scope: next })} />,
          limits: <AllLimits scope={scope} choose={(next) => open({ tab, scope: next })} />,
        }}
      />
    </Page>
  );
}

type Scope = GrantSearch["scope"];
interface PartProps {
  scope: Scope;
  choose: (scope: Scope) => void;
}

/** Bar is above each list: whose rights are shown, and a new one. */
function Bar({ scope, choose, of, children }: PartProps & { of: readonly NonNullable<Scope>[]; children: ReactNode }) {
  const { t } = useTranslation("grants");
  return (
    <Group justify="space-between" mb="sm">
      <Select
        aria-label={t("scopeLabel")}
        data={[{ value: "", label: t("everyScope") }, ...of.map((value) => ({ value, label: t(`scope.${value}`) }))]}
        value={scope && of.includes(scope) ? scope : ""}
        onChange={(value) => choose(of.find((name) => name === value))}
        allowDeselect={false}
        w={220}
      />
      {children}
    </Group>
  );
}

function AddButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={onClick}>
      {label}
    </Button>
  );
}

/** useWho names the owner of a right, with the way there. */
function useWho() {
  const { t } = useTranslation("grants");
  const users = useUserNames();
  const teams = useTeamNames();
  return (owner: Owner): ReactNode => {
    const id = String(owner.id);
    switch (owner.scope) {
      case "user":
        return (
          <Anchor size="sm" renderRoot={(props) => <Link to="/admin/users/$id" params={{ id }} {...props} />}>
            {users(owner.id)}
          </Anchor>
        );
      case "team":
        return (
          <Anchor size="sm" renderRoot={(props) => <Link to="/admin/teams/$id" params={{ id }} {...props} />}>
            {t("origin.team", { name: teams(owner.id) })}
          </Anchor>
        );
      case "key":
        return t("origin.key", { name: `#${id}` });
      default:
        return t(`scope.${owner.scope}`);
    }
  };
}

interface Allowed {
  owner: { scope: "user" | "team"; id: number };
  id: number;
  provider_id: number | null;
  model_pattern: string;
}

function AllPermissions({ scope, choose }: PartProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const [editing, setEditing] = useState<PermissionEditing>(null);
  const [owner, setOwner] = useState<Allowed["owner"]>();
  const ofUsers = useRows(permissionPaths.all.query, {}, { pageSize: 1000, all: true });
  const ofTeams = useRows(permissionPaths.team.query, {}, { pageSize: 1000, all: true });
  const stale = { stale: [...rightsStale, "/user/models"], done: t("saved") };
  const dropUsers = useAction(permissionPaths.all.remove, stale).mutate;
  const dropTeams = useAction(permissionPaths.team.remove, stale).mutate;
  const ask = useRemoval();
  const who = useWho();
  const providerName = useProviderNames();
  type UserRight = Row<typeof permissionPaths.all.query>;
  type TeamRight = Row<typeof permissionPaths.team.query>;
  const rows: Allowed[] = [
    ...ofTeams.rows.map((p: TeamRight) => ({ ...p, owner: { scope: "team" as const, id: p.team_id } })),
    ...ofUsers.rows.map((p: UserRight) => ({ ...p, owner: { scope: "user" as const, id: p.user_id } })),
  ].filter((p) => !scope || !["user", "team"].includes(scope) || p.owner.scope === scope);
  const list: Rows<Allowed> = {
    ...ofUsers,
    rows,
    isPending: ofUsers.isPending || ofTeams.isPending,
    error: ofUsers.error ?? ofTeams.error,
  };
  const edit = (p: Allowed) => {
    setOwner(p.owner);
    setEditing(p);
  };
  const create = () => {
    setOwner(undefined);
    setEditing("new");
  };
  const columns: Column<Allowed>[] = [
    { id: "who", header: t("who"), cell: (p) => who(p.owner) },
    { id: "pattern", header: t("pattern"), cell: (p) => p.model_pattern },
    {
      id: "provider",
      header: t("provider"),
      from: "wide",
      cell: (p) => (p.provider_id === null ? t("everyProvider") : providerName(p.provider_id)),
    },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (p) => (
        <RowMenu
          name={p.model_pattern}
          items={[
            { label: common("edit"), run: () => edit(p) },
            {
              label: t("remove"),
              run: () => ask(() => (p.owner.scope === "team" ? dropTeams : dropUsers)({ id: p.id })),
              danger: true,
            },
          ]}
        />
      ),
    },
  ];
  const add = <AddButton label={t("addPermission")} onClick={create} />;
  return (
    <>
      <Bar scope={scope} choose={choose} of={["user", "team"]}>
        {add}
      </Bar>
      <DataTable
        label={t("permissions")}
        columns={columns}
        list={list}
        rowId={(p) => `${p.owner.scope} ${p.id}`}
        empty={
          <Empty icon={IconLockAccess} title={t("permissionEmpty")} action={add}>
            {t("permissionEmptyBody")}
          </Empty>
        }
      />
      <PermissionForm owner={owner} editing={editing} close={() => setEditing(null)} />
    </>
  );
}

function AllBudgets({ scope, choose }: PartProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const [editing, setEditing] = useState<QuotaEditing>(null);
  const read = useRows(quotaPaths.all.query, scope ? { scope: { eq: scope } } : {});
  const list = { ...read, rows: read.rows as unknown as Quota[] };
  const remove = useAction(quotaPaths.all.remove, { stale: rightsStale, done: t("saved") }).mutate;
  const ask = useRemoval();
  const who = useWho();
  const columns: Column<Quota>[] = [
    { id: "who", header: t("who"), cell: (q) => who(ownerOf(q)) },
    { id: "budget", header: t("budgets"), cell: (q) => <QuotaLine quota={q} name={t(`window.${q.window}`)} /> },
    { id: "resets", header: t("resets"), from: "wide", cell: (q) => <Time at={q.resets_at} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (q) => (
        <RowMenu
          name={t(`window.${q.window}`)}
          items={[
            { label: common("edit"), run: () => setEditing(q) },
            {
              label: t("remove"),
              run: () => ask(() => remove({ ...ownedBy(ownerOf(q)), window: q.window })),
              danger: true,
            },
          ]}
        />
      ),
    },
  ];
  const add = <AddButton label={t("setQuota")} onClick={() => setEditing("new")} />;
  return (
    <>
      <Bar scope={scope} choose={choose} of={scopes}>
        {add}
      </Bar>
      <DataTable
        label={t("budgets")}
        columns={columns}
        list={list}
        rowId={idOf}
        empty={
          <Empty icon={IconWallet} title={t("quotaEmpty")} action={add}>
            {t("quotaEmptyBody")}
          </Empty>
        }
      />
      <QuotaForm editing={editing} close={() => setEditing(null)} />
    </>
  );
}

function AllLimits({ scope, choose }: PartProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const [editing, setEditing] = useState<LimitEditing>(null);
  const read = useRows(limitPaths.all.query, {}, { pageSize: 1000, all: true });
  const list = { ...read, rows: read.rows.filter((l) => !scope || !["user", "team"].includes(scope) || l.scope === scope) };
  const remove = useAction(limitPaths.all.remove, { stale: rightsStale, done: t("saved") }).mutate;
  const ask = useRemoval();
  const who = useWho();
  const columns: Column<RateLimit>[] = [
    { id: "who", header: t("who"), cell: (l) => who(ownerOf(l)) },
    { id: "pattern", header: t("pattern"), cell: (l) => l.model_pattern },
    ...bounds.map(
      (name): Column<RateLimit> => ({
        id: name,
        header: t(`bounds.${name}`),
        align: "end",
        from: "wide",
        cell: (l) => (l[name] == null ? "–" : format.number(l[name])),
      }),
    ),
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (l) => (
        <RowMenu
          name={l.model_pattern}
          items={[
            { label: common("edit"), run: () => setEditing(l) },
            { label: t("remove"), run: () => ask(() => remove({ id: l.id })), danger: true },
          ]}
        />
      ),
    },
  ];
  const add = <AddButton label={t("addLimit")} onClick={() => setEditing("new")} />;
  return (
    <>
      <Bar scope={scope} choose={choose} of={["user", "team"]}>
        {add}
      </Bar>
      <DataTable
        label={t("limits")}
        columns={columns}
        list={list}
        rowId={(l) => String(l.id)}
        empty={
          <Empty icon={IconGauge} title={t("limitEmpty")} action={add}>
            {t("limitEmptyBody")}
          </Empty>
        }
      />
      <LimitForm editing={editing} close={() => setEditing(null)} />
    </>
  );
}
