import { Anchor, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconPlus, IconSearch, IconUsers } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import { useMe } from "@/api/session";
import type { User } from "@/api/types";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Enabled } from "@/ui/status";
import { Time } from "@/ui/time";
import { useMayChange, useUserActions } from "./actions";
import { BatchBar } from "./batch-bar";
import { Role } from "./role";
import type { UserSearch } from "./search";
import { type Editing, UserForm } from "./user-form";

const route = getRouteApi("/_app/admin/users/");

export function UsersPage() {
  const { t } = useTranslation("users");
  const [editing, setEditing] = useState<Editing>(null);
  const [ticked, setTicked] = useState<Record<string, true>>({});
  const { q, state, role, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const mayChange = useMayChange();

  // The API finds whole names only, so a search reads the list to its end and looks for parts of names here.
  const list = useRows(
    "/admin/users/query",
    { sort, ...(state && { enabled: { eq: state === "active" } }), ...(role && { is_admin: { eq: role === "admin" } }) },
    { pageSize: q ? 1000 : 100, all: q !== undefined },
  );
  const rows = useMemo(() => {
    const part = q?.toLowerCase();
    return part
      ? list.rows.filter((u) => u.name.toLowerCase().includes(part) || u.email?.toLowerCase().includes(part))
      : list.rows;
  }, [list.rows, q]);
  const columns = useColumns(setEditing);
  const chosen = rows.filter((u) => ticked[u.id] && mayChange(u)).map((u) => u.id);
  const filtered = Boolean(q || state || role);
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing("new")}>
      {t("create")}
    </Button>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={create}>
      <Stack gap="sm">
        <Filters />
        {chosen.length > 0 && <BatchBar ids={chosen} done={() => setTicked({})} />}
        <DataTable
          label={t("title")}
          columns={columns}
          list={{ ...list, rows }}
          rowId={(u) => String(u.id)}
          rowName={(u) => u.name}
          sort={sort}
          onSort={(next) => void navigate({ search: (now) => ({ ...now, sort: next }), replace: true })}
          selected={ticked}
          onSelect={setTicked}
          canSelect={mayChange}
          empty={filtered ? <NoMatch /> : <Nobody action={create} />}
        />
      </Stack>
      <UserForm editing={editing} onClose={() => setEditing(null)} />
    </Page>
  );
}

function useColumns(edit: (user: User) => void): Column<User>[] {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const me = useMe();
  const actionsOf = useUserActions(edit);
  return [
    {
      id: "name",
      header: t("name"),
      sort: "name",
      cell: (u) => (
        <Stack gap={0}>
          <Group gap={6} wrap="nowrap">
            <Anchor
              size="sm"
              fw={550}
              lineClamp={1}
              renderRoot={(props) => <Link to="/admin/users/$id" params={{ id: String(u.id) }} {...props} />}
            >
              {u.name}
            </Anchor>
            {u.id === me.id && (
              <Text size="xs" c="dimmed">
                ({t("you")})
              </Text>
            )}
          </Group>
          {u.email && (
            <Text size="xs" c="dimmed" lineClamp={1}>
              {u.email}
            </Text>
          )}
        </Stack>
      ),
    },
    { id: "role", header: t("role"), sort: "role", from: "wide", cell: (u) => <Role user={u} /> },
    { id: "state", header: t("state"), cell: (u) => <Enabled enabled={u.enabled} /> },
    { id: "login", header: t("lastLogin"), sort: "last_login_at", from: "wide", cell: (u) => <Time at={u.last_login_at} /> },
    { id: "created", header: t("created"), sort: "created_at", from: "wider", cell: (u) => <Time at={u.created_at} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (u) => <RowMenu name={u.name} items={actionsOf(u)} />,
    },
  ];
}

function Filters() {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const { q, state, role } = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: UserSearch) => void navigate({ search: (now) => ({ ...now, ...part }), replace: true });
  const search = useDebouncedCallback((text: string) => change({ q: text || undefined }), 200);
  return (
    <Group gap="sm">
      <TextInput
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<IconSearch size={16} aria-hidden />}
        defaultValue={q}
        onChange={(event) => search(event.currentTarget.value)}
        data-page-search
        flex="1 1 14rem"
        maw={360}
      />
      <Select
        aria-label={t("state")}
        placeholder={t("state")}
        data={[
          { value: "active", label: common("enabled") },
          { value: "inactive", label: common("disabled") },
        ]}
        value={state ?? null}
        onChange={(value) => change({ state: (value as "active" | null) ?? undefined })}
        clearable
        w={150}
      />
      <Select
        aria-label={t("role")}
        placeholder={t("role")}
        data={[
          { value: "user", label: t("roleUser") },
          { value: "admin", label: t("roleAdmin") },
        ]}
        value={role ?? null}
        onChange={(value) => change({ role: (value as "user" | null) ?? undefined })}
        clearable
        w={150}
      />
    </Group>
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

function Nobody({ action }: { action: ReactNode }) {
  const { t } = useTranslation("users");
  return (
    <Empty icon={IconUsers} title={t("emptyTitle")} action={action}>
      {t("emptyBody")}
    </Empty>
  );
}
