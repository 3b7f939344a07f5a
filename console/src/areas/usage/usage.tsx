import { Button, Group, Select, SimpleGrid, Table, Text } from "@mantine/core";
import { IconChartBar, IconDownload } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { download } from "@/api/download";
import { useProviderNames, useUserNames } from "@/api/names";
import { useRows } from "@/api/rows";
import type { UsageSum } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Chart } from "@/ui/charts";
import { Empty } from "@/ui/empty";
import { Money } from "@/ui/money";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Scrolled } from "@/ui/scrolled";
import { Stat } from "@/ui/stat";
import { Calls } from "./calls";
import { allGroups, type Group as By, boundsOf, ownGroups, type Range, ranges, type UsageSearch } from "./search";

/** How many groups a chart tells apart. */
const apart = 5;

/** UsagePage reports what was spent: by oneself, or by everybody. */
export function UsagePage({ scope }: { scope: "user" | "admin" }) {
  const { t } = useTranslation("usage");
  const { range = "30", by = "model" } = useSearch({ strict: false }) as UsageSearch;
  const bounds = useMemo(() => boundsOf(range), [range]);
  const own = scope === "user";
  const path = own ? "/user/usages/summary" : "/admin/usages/summary";
  const sums = api.useQuery("post", path as "/admin/usages/summary", { body: { ...bounds, group_by: by } });
  const daily = api.useQuery("post", path as "/admin/usages/summary", {
    body: { ...bounds, group_by: "day", ...(by !== "tag" && { then_by: by }) },
  });
  const nameOf = useGroupNames(scope, by);
  const save = (
    <Button
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden />}
      onClick={() =>
        void download((own ? "/user/usages/export" : "/admin/usages/export") as "/admin/usages/export", {
          ...bounds,
          group_by: "day",
          ...(by !== "tag" && { then_by: by }),
        })
      }
    >
      {t("export")}
    </Button>
  );
  const error = sums.error ?? daily.error;
  const rows = (sums.data ?? []) as UsageSum[];
  return (
    <Page title={own ? t("titleOwn") : t("titleAll")} lead={own ? t("leadOwn") : t("leadAll")} actions={save}>
      {own && <Calls />}
      <Choices scope={scope} range={range} by={by} />
      {error && <ProblemAlert error={error} retry={() => void Promise.all([sums.refetch(), daily.refetch()])} />}
      {!sums.data && !error && <PageSkeleton />}
      {sums.data && rows.length === 0 && (
        <div className="card">
          <Empty icon={IconChartBar} title={t("emptyTitle")}>
            {t("emptyBody")}
          </Empty>
        </div>
      )}
      {rows.length > 0 && (
        <>
          <Totals rows={rows} />
          <Card title={t("costByDay")}>
            <Days daily={(daily.data ?? []) as UsageSum[]} rows={rows} nameOf={nameOf} bounds={bounds} />
          </Card>
          <Card title={t(`by.${by}`)}>
            <Sums by={by} rows={rows} nameOf={nameOf} />
          </Card>
        </>
      )}
    </Page>
  );
}

/** useGroupNames says what a group is called. */
function useGroupNames(scope: "user" | "admin", by: By): (group: string) => string {
  const { t } = useTranslation("usage");
  const admin = scope === "admin";
  const user = useUserNames(admin && by === "user");
  const provider = useProviderNames(admin && by === "provider");
  const keys = useRows(admin ? "/admin/user-keys/query" : "/user/keys/query", {}, { pageSize: 1000, enabled: by === "key" });
  return (group) => {
    if (group === "" || group === "0") return t("none");
    if (by === "user") return user(Number(group));
    if (by === "provider" && admin) return provider(Number(group));
    if (by === "key") {
      const key = (keys.rows as { id: number; label: string; last4: string }[]).find((k) => k.id === Number(group));
      return key ? key.label || `…${key.last4}` : `#${group}`;
    }
    return by === "model" || by === "tag" ? group : `#${group}`;
  };
}

function Choices({ scope, range, by }: { scope: "user" | "admin"; range: Range; by: By }) {
  const { t } = useTranslation("usage");
  const navigate = useNavigate();
  const change = (part: UsageSearch) =>
    void navigate({ to: ".", search: ((now: UsageSearch) => ({ ...now, ...part })) as never, replace: true });
  const names: Record<Range, string> = {
    "7": t("range7"),
    "30": t("range30"),
    "90": t("range90"),
    month: t("rangeMonth"),
    lastMonth: t("rangeLastMonth"),
  };
  return (
    <Group gap="sm">
      <Select
        aria-label={t("range")}
        data={ranges.map((value) => ({ value, label: names[value] }))}
        value={range}
        onChange={(value) => value && change({ range: value as Range })}
        allowDeselect={false}
        w={170}
      />
      <Select
        aria-label={t("groupBy")}
        data={(scope === "admin" ? allGroups : ownGroups).map((value) => ({ value, label: t(`by.${value}`) }))}
        value={by}
        onChange={(value) => value && change({ by: value as By })}
        allowDeselect={false}
        w={150}
      />
    </Group>
  );
}

const inputOf = (s: UsageSum) => s.input_tokens + s.cache_read_input_tokens + s.cache_creation_input_tokens;

function Totals({ rows }: { rows: UsageSum[] }) {
  const { t } = useTranslation("usage");
  const format = useFormat();
  const sum = (pick: (row: UsageSum) => number) => rows.reduce((total, row) => total + pick(row), 0);
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }}>
      <Stat label={t("cost")} value={<Money dollars={sum((r) => r.cost)} />} />
      <Stat label={t("calls")} value={format.tokens(sum((r) => r.dispatches))} />
      <Stat label={t("input")} value={format.tokens(sum(inputOf))} />
      <Stat label={t("output")} value={format.tokens(sum((r) => r.output_tokens))} />
    </SimpleGrid>
  );
}

interface DaysProps {
  daily: UsageSum[];
  rows: UsageSum[];
  nameOf: (group: string) => string;
  bounds: { since: string; until: string };
}

function Days({ daily, rows, nameOf, bounds }: DaysProps) {
  const { t } = useTranslation("usage");
  const format = useFormat();
  const split = daily.some((d) => d.then !== "");
  const first = rows.slice(0, apart).map((r) => r.group);
  const rest = rows.length > apart;
  const series = split
    ? [
        ...first.map((group, i) => ({ key: `g${i}`, label: nameOf(group) })),
        ...(rest ? [{ key: "rest", label: t("others") }] : []),
      ]
    : [{ key: "cost", label: t("cost") }];
  const days = new Map<string, Record<string, string | number>>();
  for (let at = new Date(bounds.since).getTime(); at < new Date(bounds.until).getTime(); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.set(day, { day, ...Object.fromEntries(series.map((s) => [s.key, 0])) });
  }
  for (const sum of daily) {
    const point = days.get(sum.group);
    if (!point) continue;
    const place = first.indexOf(sum.then);
    const key = !split ? "cost" : place >= 0 ? `g${place}` : "rest";
    point[key] = Number(point[key] ?? 0) + sum.cost;
  }
  return (
    <Chart
      kind="bar"
      stacked
      label={t("costByDay")}
      by={{ key: "day", label: t("by.day") }}
      series={series}
      rows={[...days.values()]}
      format={format.money}
      formatBy={format.day}
      height={280}
    />
  );
}

function Sums({ by, rows, nameOf }: { by: By; rows: UsageSum[]; nameOf: (group: string) => string }) {
  const { t } = useTranslation("usage");
  const format = useFormat();
  const whole = rows.reduce((total, row) => total + row.cost, 0);
  const heads = [t("cost"), t("share"), t("calls"), t("errors"), t("input"), t("output"), t("latency")];
  return (
    <Scrolled label={t(`by.${by}`)} minWidth={720} maxHeight={560}>
      <Table aria-label={t(`by.${by}`)} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t(`by.${by}`)}</Table.Th>
            {heads.map((head) => (
              <Table.Th key={head} scope="col" ta="end">
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.group}>
              <Table.Th scope="row" fw={500}>
                <Text size="sm" lineClamp={1} title={nameOf(row.group)}>
                  {nameOf(row.group)}
                </Text>
              </Table.Th>
              {[
                format.money(row.cost),
                format.percent(whole > 0 ? row.cost / whole : 0),
                format.number(row.dispatches),
                format.number(row.errors),
                format.tokens(inputOf(row)),
                format.tokens(row.output_tokens),
                format.duration(row.latency_ms),
              ].map((figure, i) => (
                <Table.Td key={heads[i]} ta="end" className="tabular">
                  {figure}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scrolled>
  );
}
