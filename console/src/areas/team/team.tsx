import { Code, Group, SimpleGrid, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Quota, Schema } from "@/api/types";
import { InvitationList } from "@/areas/links/invitations";
import { Facts } from "@/ui/facts";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { PageTabs } from "@/ui/page-tabs";
import { ProblemAlert } from "@/ui/problem";
import { QuotaBar } from "@/ui/quota";
import { TeamKeys } from "./keys";
import { Members } from "./members";
import { tabs } from "./search";
import { TeamUsage } from "./usage";

type Team = Schema<"OwnTeam">;

const route = getRouteApi("/_app/team");

/** TeamPage is where an admin of a team manages it. */
export function TeamPage() {
  const { t } = useTranslation("team");
  const { tab = "members" } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = api.useQuery("post", "/user/team", { body: {} });
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const team = data as Team;
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Overview team={team} />
      <PageTabs
        tabs={tabs}
        tab={tab}
        name={(tab) => t(`tabs.${tab}`)}
        open={(tab) => void navigate({ search: { tab }, replace: true })}
        panels={{
          members: <Members />,
          keys: <TeamKeys />,
          invitations: <InvitationList scope="team" />,
          usage: <TeamUsage />,
        }}
      />
    </Page>
  );
}

function Overview({ team }: { team: Team }) {
  const { t } = useTranslation("team");
  const quotas = team.quotas as unknown as Quota[];
  const may = team.permissions.map((p) => (p.provider === "*" ? p.model_pattern : `${p.provider}/${p.model_pattern}`));
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Card title={team.name}>
        <Facts
          facts={[
            [t("size"), String(team.members)],
            [
              t("may"),
              may.length === 0 ? (
                t("mayNothing")
              ) : (
                <Group key="may" gap={6}>
                  {may.map((pattern) => (
                    <Code key={pattern}>{pattern}</Code>
                  ))}
                </Group>
              ),
            ],
          ]}
        />
      </Card>
      <Card title={t("budget")}>
        {quotas.length === 0 && (
          <Text c="dimmed" size="sm">
            {t("noBudget")}
          </Text>
        )}
        {quotas.map((quota) => (
          <QuotaBar key={quota.window} quota={quota} name={t(`window.${quota.window}`)} resets={t("resets")} />
        ))}
      </Card>
    </SimpleGrid>
  );
}
