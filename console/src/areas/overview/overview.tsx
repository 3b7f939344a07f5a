import { Box, SegmentedControl, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { useUserNames } from "@/api/names";
import type { RequestRow, Schema } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Chart } from "@/ui/charts";
import { Money } from "@/ui/money";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { QuotaBar } from "@/ui/quota";
import { Stat } from "@/ui/stat";
import { Time } from "@/ui/time";
import { Health } from "./health";
import { type Range, ranges } from "./search";
import { TopTable } from "./top";

const route = getRouteApi("/_app/admin/overview");

type Overview = Schema<"Overview">;
type Traffic = Schema<"Traffic">;

/** OverviewPage shows how the whole gateway does. */
export function OverviewPage() {
  const { t } = useTranslation("overview");
  const { range = "24h" } = route.useSearch();
  const navigate = route.useNavigate();
  const every = range === "1h" ? 10_000 : 60_000;
  const { data, error, refetch } = api.useQuery(
    "post",
    "/admin/dashboard/overview",
    { body: { range } },
    { refetchInterval: every, placeholderData: (before) => before },
  );
  const choice = (
    <Box maw="100%" miw={0} style={{ overflowX: "auto" }}>
      <SegmentedControl
        aria-label={t("range")}
        data={ranges.map((value) => ({ value, label: t(`ranges.${value}`) }))}
        value={range}
        onChange={(value) => void navigate({ search: { range: value as Range }, replace: true })}
      />
    </Box>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={choice}>
      {error && <ProblemAlert error={error} retry={refetch} />}
      {!data && !error && <PageSkeleton />}
      {data && <Figures overview={data as Overview} />}
      <SimpleGrid cols={{ base: 1, lg: 3 }}>
        <TopTable what="models" range={range} />
        <TopTable what="users" range={range} />
        <TopTable what="providers" range={range} />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Health />
        <Slow range={range} />
      </SimpleGrid>
    </Page>
  );
}

function rate(t: Traffic): number {
  return t.requests > 0 ? (t.refused + t.failed) / t.requests : 0;
}

function Figures({ overview }: { overview: Overview }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const { total, before } = overview;
  const against = (now: number, then: number) =>
    then > 0 ? t("before", { share: `${now >= then ? "+" : "−"}${format.percent(Math.abs(now - then) / then)}` }) : undefined;
  return (
    <>
      <SimpleGrid cols={{ base: 2, md: 3, xl: 6 }}>
        <Stat label={t("requests")} value={format.tokens(total.requests)} hint={against(total.requests, before.requests)} />
        <Stat label={t("spend")} value={<Money dollars={total.cost} />} hint={against(total.cost, before.cost)} />
        <Stat
          label={t("errorRate")}
          value={format.percent(rate(total))}
          hint={t("errorHint", { refused: format.tokens(total.refused), failed: format.tokens(total.failed) })}
        />
        <Stat
          label={t("p95")}
          value={format.duration(total.latency_p95_ms)}
          hint={t("latencyHint", { p50: format.duration(total.latency_p50_ms) })}
        />
        <Stat
          label={t("firstToken")}
          value={format.duration(total.first_token_p95_ms)}
          hint={t("latencyHint", { p50: format.duration(total.first_token_p50_ms) })}
        />
        <Stat
          label={t("tokens")}
          value={format.tokens(total.input_tokens + total.output_tokens)}
          hint={t("tokensHint", { input: format.tokens(total.input_tokens), output: format.tokens(total.output_tokens) })}
        />
      </SimpleGrid>
      <Plots overview={overview} />
    </>
  );
}

function Plots({ overview }: { overview: Overview }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const rows = overview.total.requests > 0 ? overview.series.map((p) => ({ ...p })) : [];
  const short = overview.step_seconds < 86_400;
  const at = (time: string) => (short ? format.moment(time, overview.step_seconds < 3_600 * 3) : format.day(time));
  const by = { key: "at", label: t("time") };
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      <Card title={t("traffic")}>
        <Chart
          kind="bar"
          stacked
          label={t("traffic")}
          by={by}
          series={[
            { key: "succeeded", label: t("succeeded") },
            { key: "refused", label: t("refused") },
            { key: "failed", label: t("failed") },
            { key: "client_left", label: t("clientLeft") },
          ]}
          rows={rows}
          format={format.tokens}
          formatBy={at}
        />
      </Card>
      <Card title={t("latency")}>
        <Chart
          kind="line"
          label={t("latency")}
          by={by}
          series={[
            { key: "latency_p50_ms", label: t("p50") },
            { key: "latency_p95_ms", label: t("p95s") },
            { key: "latency_p99_ms", label: t("p99") },
          ]}
          rows={rows}
          format={format.duration}
          formatBy={at}
        />
      </Card>
      <Card title={t("spending")}>
        <Chart
          kind="area"
          label={t("spending")}
          by={by}
          series={[{ key: "cost", label: t("cost") }]}
          rows={rows}
          format={format.money}
          formatBy={at}
        />
      </Card>
      <Budgets budgets={overview.budgets} />
    </SimpleGrid>
  );
}

function Budgets({ budgets }: { budgets: Overview["budgets"] }) {
  const { t } = useTranslation("overview");
  const userOf = useUserNames(budgets.some((b) => b.scope === "user"));
  return (
    <Card title={t("budgets")}>
      {budgets.length === 0 && (
        <Text c="dimmed" size="sm">
          {t("noBudgets")}
        </Text>
      )}
      <Stack gap="md">
        {budgets.slice(0, 6).map((b) => {
          const whose = b.scope === "user" ? userOf(b.user_id) : String(b.key_id || b.team_id || "");
          return (
            <QuotaBar
              key={`${b.scope} ${whose} ${b.window}`}
              quota={{ ...b, quota: b.quota ?? null, remaining: b.remaining ?? null }}
              name={`${t(`scope.${b.scope}`, { name: whose })}, ${t(`window.${b.window}`)}`}
              resets={t("resets")}
            />
          );
        })}
      </Stack>
    </Card>
  );
}

function Slow({ range }: { range: Range }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const { data, error, refetch } = api.useQuery("post", "/admin/dashboard/slow", { body: { range, limit: 8 } });
  const rows = (data ?? []) as RequestRow[];
  return (
    <Card title={t("slow")}>
      {error && <ProblemAlert error={error} retry={refetch} />}
      {data && rows.length === 0 && (
        <Text c="dimmed" size="sm">
          {t("nothing")}
        </Text>
      )}
      {rows.length > 0 && (
        <Table aria-label={t("slow")}>
          <Table.Tbody>
            {rows.map((r) => (
              <Table.Tr key={r.id}>
                <Table.Td>
                  <Link to="/admin/requests/$id" params={{ id: r.id }} className="link">
                    <Time at={r.started_at} />
                  </Link>
                </Table.Td>
                <Table.Td>{r.model}</Table.Td>
                <Table.Td ta="end" className="tabular">
                  {format.duration(r.latency_ms)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}
