import { Alert, Button, Group, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { IconBellRinging, IconRocket } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { useRows } from "@/api/rows";
import { useMe } from "@/api/session";
import type { Quota, UsageSum } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Chart } from "@/ui/charts";
import { Empty } from "@/ui/empty";
import { Money } from "@/ui/money";
import { Card, Page } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { QuotaBar } from "@/ui/quota";
import { SmallTable } from "@/ui/small-table";
import { Stat } from "@/ui/stat";
import { HttpStatus } from "@/ui/status";
import { Time } from "@/ui/time";

/** monthAgo is the start of the day 29 days ago, so that a month of days is shown. */
function monthAgo(): string {
  const day = new Date();
  day.setUTCHours(0, 0, 0, 0);
  day.setUTCDate(day.getUTCDate() - 29);
  return day.toISOString();
}

export function HomePage() {
  const { t } = useTranslation("home");
  const me = useMe();
  return (
    <Page title={t("title", { name: me.name })} lead={t("lead")}>
      <Alarms />
      <Spending />
      <Recent />
    </Page>
  );
}

/** Alarms says that a budget is nearly spent, before a call is refused for it. */
function Alarms() {
  const { t } = useTranslation("home");
  const { rows } = useRows("/user/alarms/query", { open: true }, { pageSize: 100 });
  if (rows.length === 0) return null;
  return (
    <Alert color="orange" icon={<IconBellRinging aria-hidden />} role="status">
      <Group justify="space-between" gap="sm">
        <Text size="sm">{t("alarm", { count: rows.length })}</Text>
        <Button size="xs" variant="default" component={Link} to="/alarms">
          {t("alarmLook")}
        </Button>
      </Group>
    </Alert>
  );
}

function Spending() {
  const { t } = useTranslation("home");
  const format = useFormat();
  const since = useMemo(monthAgo, []);
  const usage = api.useQuery("post", "/user/usages/summary", { body: { group_by: "day", since } });
  const models = api.useQuery("post", "/user/models", { body: {} });
  const days = (usage.data ?? []) as UsageSum[];
  const sum = (pick: (day: UsageSum) => number) => days.reduce((total, day) => total + pick(day), 0);
  const input = sum((d) => d.input_tokens + d.cache_read_input_tokens + d.cache_creation_input_tokens);
  const output = sum((d) => d.output_tokens);
  if (usage.error) return <ProblemAlert error={usage.error} retry={usage.refetch} />;
  return (
    <>
      <SimpleGrid cols={{ base: 2, lg: 4 }}>
        <Stat label={t("spend30")} value={<Money dollars={sum((d) => d.cost)} />} pending={usage.isPending} />
        <Stat label={t("requests30")} value={format.tokens(sum((d) => d.dispatches))} pending={usage.isPending} />
        <Stat
          label={t("tokens30")}
          value={format.tokens(input + output)}
          hint={t("tokensHint", { input: format.tokens(input), output: format.tokens(output) })}
          pending={usage.isPending}
        />
        <Stat label={t("models")} value={format.number(models.data?.length ?? 0)} pending={models.isPending} />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title={t("byDay")}>
          <Chart
            kind="bars"
            label={t("byDayLabel")}
            by={{ key: "day", label: t("day") }}
            series={[{ key: "cost", label: t("cost") }]}
            rows={everyDay(days, since)}
            format={format.money}
            formatBy={format.day}
            height={200}
          />
        </Card>
        <Budget />
      </SimpleGrid>
    </>
  );
}

/** everyDay fills the days without calls with zero; no rows at all when there were none. */
function everyDay(days: UsageSum[], since: string) {
  if (days.length === 0) return [];
  const costs = new Map(days.map((d) => [d.group, d.cost]));
  return Array.from({ length: 30 }, (_, i) => {
    const day = new Date(new Date(since).getTime() + i * 86_400_000).toISOString().slice(0, 10);
    return { day, cost: costs.get(day) ?? 0 };
  });
}

function Budget() {
  const { t } = useTranslation("home");
  const { data, error, refetch } = api.useQuery("post", "/user/quota", { body: {} });
  const quotas = (data ?? []) as Quota[];
  return (
    <Card title={t("budget")}>
      {error && <ProblemAlert error={error} retry={refetch} />}
      {data !== undefined && quotas.length === 0 && (
        <Text c="dimmed" size="sm">
          {t("noBudget")}
        </Text>
      )}
      <Stack gap="lg">
        {quotas.map((quota) => (
          <QuotaBar
            key={`${quota.scope} ${quota.key_id} ${quota.window}`}
            quota={quota}
            name={t(`window.${quota.window}`)}
            resets={t("resets")}
          />
        ))}
      </Stack>
    </Card>
  );
}

/** How many of the latest calls are shown. */
const shown = 10;

function Recent() {
  const { t } = useTranslation("home");
  const format = useFormat();
  const list = useRows("/user/requests/query", { sort: "-id" }, { pageSize: shown, refetchInterval: 15_000 });
  const empty = (
    <Empty
      icon={IconRocket}
      title={t("emptyTitle")}
      action={
        <Button component={Link} to="/keys">
          {t("emptyAction")}
        </Button>
      }
    >
      {t("emptyBody")}
    </Empty>
  );
  return (
    <section aria-label={t("recent")}>
      <Text component="h2" fw={620} fz="1.0625rem" mb="sm">
        {t("recent")}
      </Text>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      <div className="card">
        {list.isPending ? (
          <Skeleton height={shown * 40} />
        ) : list.rows.length === 0 ? (
          empty
        ) : (
          <SmallTable
            label={t("recent")}
            heads={[
              t("time"),
              t("model"),
              t("status"),
              { text: t("tokens"), wide: true, end: true },
              { text: t("latency"), wide: true, end: true },
              { text: t("cost"), end: true },
            ]}
            rows={list.rows.slice(0, shown).map((r) => ({
              key: r.id,
              cells: [
                <Time key="time" at={r.started_at} />,
                r.model,
                <HttpStatus key="status" code={r.status} broken={r.error_class} />,
                format.tokens(r.input_tokens + r.output_tokens),
                format.duration(r.latency_ms),
                <Money key="cost" dollars={r.cost} />,
              ],
            }))}
          />
        )}
      </div>
    </section>
  );
}
