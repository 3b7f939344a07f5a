import { Alert, Button, Group, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconDownload, IconListDetails, IconSearch } from "@tabler/icons-react";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { download } from "@/api/download";
import { useUserNames } from "@/api/names";
import { type Rows, useRows } from "@/api/rows";
import type { RequestRow } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { ClearBodies } from "./clear";
import { useRequestColumns } from "./columns";
import { useLive } from "./live";
import { filterOf, type RequestSearch, type Scope } from "./search";

/** RequestsPage lists requests: one's own, or everybody's. */
export function RequestsPage({ scope }: { scope: Scope }) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  const search = useSearch({ strict: false }) as RequestSearch;
  const on = search.live === "on";
  const [clearing, clear] = useDisclosure();
  const filter = filterOf(search, scope);
  const path = scope === "admin" ? "/admin/requests/query" : "/user/requests/query";
  const list = useRows(path, { ...filter, sort: "-id" }) as Rows<RequestRow>;
  const live = useLive(scope, search, on);
  const rows = useMemo(() => {
    if (live.rows.length === 0) return list.rows;
    const seen = new Set(live.rows.map((r) => r.id));
    return [...live.rows, ...list.rows.filter((r) => !seen.has(r.id))];
  }, [live.rows, list.rows]);
  const nameOf = useUserNames(scope === "admin");
  const columns = useRequestColumns(scope, nameOf);
  const filtered = Object.keys(filter).length > 0;
  const save = (
    <Button
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden />}
      onClick={() => void download(scope === "admin" ? "/admin/requests/export" : "/user/requests/export", filter)}
    >
      {t("export")}
    </Button>
  );
  const own = scope === "user";
  const actions = own ? (
    save
  ) : (
    <>
      <Button variant="default" onClick={clear.open}>
        {t("clear")}
      </Button>
      {save}
    </>
  );
  return (
    <Page title={own ? t("titleOwn") : t("titleAll")} lead={own ? t("leadOwn") : t("leadAll")} actions={actions}>
      <Stack gap="sm">
        <Filters scope={scope} search={search} />
        {live.lost > 0 && <Alert color="orange">{t("lagged", { number: format.number(live.lost) })}</Alert>}
        <DataTable
          label={own ? t("titleOwn") : t("titleAll")}
          columns={columns}
          list={{ ...list, rows, isPending: list.isPending && rows.length === 0 }}
          rowId={(r) => r.id}
          empty={filtered ? <NoMatch /> : <None />}
        />
      </Stack>
      {!own && <ClearBodies opened={clearing} close={clear.close} />}
    </Page>
  );
}

function Filters({ scope, search }: { scope: Scope; search: RequestSearch }) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  const navigate = useNavigate();
  const change = (part: RequestSearch) =>
    void navigate({ to: ".", search: ((now: RequestSearch) => ({ ...now, ...part })) as never, replace: true });
  const typed = useDebouncedCallback((part: RequestSearch) => change(part), 300);
  const field = (name: "model" | "tag" | "error" | "user", label: string, width: number) => (
    <TextInput
      aria-label={label}
      placeholder={label}
      defaultValue={search[name]}
      onChange={(event) => typed({ [name]: event.currentTarget.value || undefined })}
      w={width}
      {...(name === "model" && { leftSection: <IconSearch size={16} aria-hidden />, "data-page-search": true })}
    />
  );
  return (
    <Group gap="sm">
      {field("model", t("searchModel"), 190)}
      <Select
        aria-label={t("status")}
        placeholder={t("anyStatus")}
        data={[
          { value: "2", label: t("succeeded") },
          { value: "4", label: t("refused") },
          { value: "5", label: t("failed") },
          { value: "broken", label: t("broken") },
        ]}
        value={search.status ?? null}
        onChange={(status) => change({ status: (status as RequestSearch["status"]) ?? undefined })}
        clearable
        w={160}
      />
      <Select
        aria-label={t("time")}
        placeholder={t("anyTime")}
        data={[
          { value: "1h", label: t("lastHour") },
          { value: "24h", label: t("lastDay") },
          { value: "7d", label: t("lastWeek") },
        ]}
        value={search.since ?? null}
        onChange={(since) => change({ since: (since as RequestSearch["since"]) ?? undefined })}
        clearable
        w={160}
      />
      <Select
        aria-label={t("slowerThan")}
        placeholder={t("slowerThan")}
        data={["1000", "10000", "60000"].map((ms) => ({ value: ms, label: `> ${format.duration(Number(ms))}` }))}
        value={search.slow ?? null}
        onChange={(slow) => change({ slow: (slow as RequestSearch["slow"]) ?? undefined })}
        clearable
        w={140}
      />
      {field("tag", t("searchTag"), 120)}
      {scope === "admin" && field("error", t("searchError"), 170)}
      {scope === "admin" && field("user", t("searchUser"), 110)}
      <Switch
        label={t("live")}
        title={t("liveHint")}
        checked={search.live === "on"}
        onChange={(event) => change({ live: event.currentTarget.checked ? "on" : undefined })}
      />
    </Group>
  );
}

function NoMatch() {
  const { t } = useTranslation("common");
  const navigate = useNavigate();
  const clear = (
    <Button variant="default" onClick={() => void navigate({ to: ".", search: {} as never })}>
      {t("clearFilters")}
    </Button>
  );
  return (
    <Empty icon={IconSearch} title={t("noMatch")} action={clear}>
      {t("noMatchBody")}
    </Empty>
  );
}

function None() {
  const { t } = useTranslation("requests");
  const action = (
    <Button component={Link} to="/keys">
      {t("emptyAction")}
    </Button>
  );
  return (
    <Empty icon={IconListDetails} title={t("emptyTitle")} action={action}>
      {t("emptyBody")}
    </Empty>
  );
}
