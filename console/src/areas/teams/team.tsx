import { Anchor, Breadcrumbs, Button, Group, SimpleGrid, Stack } from "@mantine/core";
import { IconPencil, IconUsersGroup } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import { Budgets } from "@/areas/grants/budgets";
import { Limits } from "@/areas/grants/limits";
import { Permissions } from "@/areas/grants/permissions";
import { Spend } from "@/areas/usage/spend";
import { useFormat } from "@/i18n/format";
import { Empty } from "@/ui/empty";
import { Money } from "@/ui/money";
import { Page, PageSkeleton } from "@/ui/page";
import { PageTabs } from "@/ui/page-tabs";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";
import { Stat } from "@/ui/stat";
import { type Team, useTeamActions } from "./actions";
import { Members } from "./members";
import { tabs } from "./search";
import { type Editing, TeamForm } from "./team-form";
import { useTeamSpend } from "./use-team-spend";

const route = getRouteApi("/_app/admin/teams/$id");

/** TeamPage is all that is known of one team. */
export function TeamPage() {
  const { t } = useTranslation("teams");
  const { id: asked } = route.useParams();
  const id = Number(asked);
  const list = useRows("/admin/teams/query", { id: { eq: id } }, { enabled: Number.isSafeInteger(id) && id > 0 });
  const team = list.rows[0];
  if (list.error) return <ProblemAlert error={list.error} retry={list.refetch} />;
  if (team) return <Details key={team.id} team={team} />;
  if (list.isFetching) return <PageSkeleton />;
  const back = (
    <Button component={Link} to="/admin/teams" variant="default">
      {t("title")}
    </Button>
  );
  return (
    <>
      <h1 className="sr-only">{t("missingTitle")}</h1>
      <Empty icon={IconUsersGroup} title={t("missingTitle")} action={back}>
        #{asked}
      </Empty>
    </>
  );
}

function Details({ team }: { team: Team }) {
  const { t } = useTranslation("teams");
  const { tab = "members" } = route.useSearch();
  const navigate = route.useNavigate();
  const [editing, setEditing] = useState<Editing>(null);
  const actionsOf = useTeamActions(setEditing, () => void navigate({ to: "/admin/teams" }));
  const owner = { scope: "team", id: team.id } as const;
  return (
    <Stack gap="sm">
      <Breadcrumbs>
        <Anchor component={Link} to="/admin/teams" size="sm">
          {t("title")}
        </Anchor>
        <span>{team.name}</span>
      </Breadcrumbs>
      <Page
        title={team.name}
        actions={
          <Group gap="xs">
            <Button variant="default" leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setEditing(team)}>
              {t("rename")}
            </Button>
            <RowMenu name={team.name} items={actionsOf(team).filter(({ danger }) => danger)} />
          </Group>
        }
      >
        <Figures team={team} />
        <PageTabs
          tabs={tabs}
          tab={tab}
          name={(tab) => t(`tabs.${tab}`)}
          open={(tab) => void navigate({ search: { tab }, replace: true })}
          panels={{
            members: <Members team={team} />,
            rights: (
              <Stack>
                <Permissions owner={owner} none={t("noPermissions")} />
                <Budgets owner={owner} />
                <Limits owner={owner} />
              </Stack>
            ),
            usage: <Spend team={team.id} />,
          }}
        />
      </Page>
      <TeamForm editing={editing} onClose={() => setEditing(null)} />
    </Stack>
  );
}

function Figures({ team }: { team: Team }) {
  const { t } = useTranslation("teams");
  const format = useFormat();
  const sum = useTeamSpend()(team.id);
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }}>
      <Stat label={t("members")} value={format.number(team.members)} />
      <Stat label={t("spend")} value={<Money dollars={sum?.cost ?? 0} />} />
      <Stat label={t("calls")} value={format.number(sum?.dispatches ?? 0)} />
      <Stat label={t("tokens")} value={format.tokens((sum?.input_tokens ?? 0) + (sum?.output_tokens ?? 0))} />
    </SimpleGrid>
  );
}
