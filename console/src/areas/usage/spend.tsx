import { SimpleGrid } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { useUserNames } from "@/api/names";
import type { UsageSum } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Chart } from "@/ui/charts";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";

/** Spend shows where the money of a user or a team went; of a team, by its members too. */
export function Spend({ user, team }: { user?: number; team?: number }) {
  const { t } = useTranslation("usage");
  const format = useFormat();
  const of = { ...(user !== undefined && { user_id: { eq: user } }), ...(team !== undefined && { team_id: { eq: team } }) };
  const days = api.useQuery("post", "/admin/usages/summary", { body: { ...of, group_by: "day" } });
  const models = api.useQuery("post", "/admin/usages/summary", { body: { ...of, group_by: "model" } });
  const failed = days.error ?? models.error;
  if (failed) return <ProblemAlert error={failed} retry={() => void Promise.all([days.refetch(), models.refetch()])} />;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Card title={t("costByDay")}>
        <Chart
          kind="area"
          label={t("costByDay")}
          by={{ key: "group", label: t("by.day") }}
          series={[{ key: "cost", label: t("cost") }]}
          rows={costs(days.data)}
          format={format.money}
          formatBy={format.day}
        />
      </Card>
      <Card title={t("costByModel")}>
        <Chart
          kind="donut"
          label={t("costByModel")}
          by={{ key: "group", label: t("by.model") }}
          series={[{ key: "cost", label: t("cost") }]}
          rows={costs(models.data)}
          format={format.money}
        />
      </Card>
      {team !== undefined && <ByMember team={team} />}
    </SimpleGrid>
  );
}

function costs(data: unknown) {
  return ((data ?? []) as UsageSum[]).map(({ group, cost }) => ({ group, cost }));
}

function ByMember({ team }: { team: number }) {
  const { t } = useTranslation("usage");
  const format = useFormat();
  const nameOf = useUserNames();
  const users = api.useQuery("post", "/admin/usages/summary", { body: { team_id: { eq: team }, group_by: "user" } });
  if (users.error) return <ProblemAlert error={users.error} retry={() => void users.refetch()} />;
  return (
    <Card title={t("costByMember")}>
      <Chart
        kind="bar"
        label={t("costByMember")}
        by={{ key: "group", label: t("by.user") }}
        series={[{ key: "cost", label: t("cost") }]}
        rows={costs(users.data).map(({ group, cost }) => ({ group: nameOf(Number(group)), cost }))}
        format={format.money}
      />
    </Card>
  );
}
