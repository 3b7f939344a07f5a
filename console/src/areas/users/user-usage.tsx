import { SimpleGrid } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { UsageSum } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Chart } from "@/ui/charts";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";

/** UserUsage shows where a user's money went. */
export function UserUsage({ id }: { id: number }) {
  const { t } = useTranslation("users");
  const format = useFormat();
  const days = api.useQuery("post", "/admin/usages/summary", { body: { user_id: { eq: id }, group_by: "day" } });
  const models = api.useQuery("post", "/admin/usages/summary", { body: { user_id: { eq: id }, group_by: "model" } });
  const failed = days.error ?? models.error;
  if (failed) return <ProblemAlert error={failed} retry={() => void Promise.all([days.refetch(), models.refetch()])} />;
  const points = (data: unknown) => ((data ?? []) as UsageSum[]).map(({ group, cost }) => ({ group, cost }));
  const series = [{ key: "cost", label: t("cost") }];
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
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
  );
}
