import { SimpleGrid, Stack } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { UsageSum } from "@/api/types";
import { boundsOf } from "@/areas/usage/search";
import { useFormat } from "@/i18n/format";
import { Chart } from "@/ui/charts";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { useMemberNames } from "./names";

/** TeamUsage shows where the team's money went in the last 30 days. */
export function TeamUsage() {
  const { t } = useTranslation("team");
  const format = useFormat();
  const bounds = useMemo(() => boundsOf("30"), []);
  const nameOf = useMemberNames();
  const summary = (group_by: "user" | "model" | "day") => ({ body: { ...bounds, group_by } });
  const members = api.useQuery("post", "/user/team/usages/summary", summary("user"));
  const models = api.useQuery("post", "/user/team/usages/summary", summary("model"));
  const days = api.useQuery("post", "/user/team/usages/summary", summary("day"));
  const parts = [members, models, days];
  const failed = parts.find(({ error }) => error)?.error;
  if (failed) return <ProblemAlert error={failed} retry={() => void Promise.all(parts.map(({ refetch }) => refetch()))} />;
  const points = (data: unknown, name = (group: string) => group) =>
    ((data ?? []) as UsageSum[]).map(({ group, cost }) => ({ group: name(group), cost }));
  const series = [{ key: "cost", label: t("cost") }];
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title={t("usageByMember")}>
          <Chart
            kind="donut"
            label={t("usageByMember")}
            by={{ key: "group", label: t("member") }}
            series={series}
            rows={points(members.data, (group) => nameOf(Number(group)))}
            format={format.money}
          />
        </Card>
        <Card title={t("usageByModel")}>
          <Chart
            kind="donut"
            label={t("usageByModel")}
            by={{ key: "group", label: t("model") }}
            series={series}
            rows={points(models.data)}
            format={format.money}
          />
        </Card>
      </SimpleGrid>
      <Card title={t("usageByDay")}>
        <Chart
          kind="area"
          label={t("usageByDay")}
          by={{ key: "group", label: t("day") }}
          series={series}
          rows={points(days.data)}
          format={format.money}
          formatBy={format.day}
        />
      </Card>
    </Stack>
  );
}
