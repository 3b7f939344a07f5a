import { Anchor, Breadcrumbs, Button, Group, Stack } from "@mantine/core";
import { IconPencil, IconUserOff } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import type { User } from "@/api/types";
import { Budgets } from "@/areas/grants/budgets";
import { Spend } from "@/areas/usage/spend";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { PageTabs } from "@/ui/page-tabs";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";
import { Enabled } from "@/ui/status";
import { Time } from "@/ui/time";
import { useUserActions } from "./actions";
import { Role } from "./role";
import { tabs } from "./search";
import { type Editing, UserForm } from "./user-form";
import { UserKeys } from "./user-keys";
import { UserRights } from "./user-rights";
import { UserSecurity } from "./user-security";

const route = getRouteApi("/_app/admin/users/$id");

/** UserPage is all that is known of one user. */
export function UserPage() {
  const { t } = useTranslation("users");
  const { id: asked } = route.useParams();
  const id = Number(asked);
  const list = useRows("/admin/users/query", { id: { eq: id } }, { enabled: Number.isSafeInteger(id) && id > 0 });
  const user = list.rows[0];
  if (list.error) return <ProblemAlert error={list.error} retry={list.refetch} />;
  if (user) return <Details key={user.id} user={user} />;
  if (list.isFetching) return <PageSkeleton />;
  const back = (
    <Button component={Link} to="/admin/users" variant="default">
      {t("title")}
    </Button>
  );
  return (
    <>
      <h1 className="sr-only">{t("missingTitle")}</h1>
      <Empty icon={IconUserOff} title={t("missingTitle")} action={back}>
        #{asked}
      </Empty>
    </>
  );
}

function Details({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const { tab = "overview" } = route.useSearch();
  const navigate = route.useNavigate();
  const [editing, setEditing] = useState<Editing>(null);
  const actionsOf = useUserActions(setEditing, () => void navigate({ to: "/admin/users" }));
  const actions = actionsOf(user);
  const others = actions.filter(({ label }) => label !== common("edit"));
  return (
    <Stack gap="sm">
      <Breadcrumbs>
        <Anchor component={Link} to="/admin/users" size="sm">
          {t("title")}
        </Anchor>
        <span>{user.name}</span>
      </Breadcrumbs>
      <Page
        title={user.name}
        lead={user.email ?? undefined}
        actions={
          <Group gap="xs">
            {actions.length > others.length && (
              <Button variant="default" leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setEditing(user)}>
                {common("edit")}
              </Button>
            )}
            <RowMenu name={user.name} items={others} />
          </Group>
        }
      >
        <PageTabs
          tabs={tabs}
          tab={tab}
          name={(tab) => t(`tabs.${tab}`)}
          open={(tab) => void navigate({ search: { tab }, replace: true })}
          panels={{
            overview: (
              <Stack>
                <Overview user={user} />
                <Budgets owner={{ scope: "user", id: user.id }} />
              </Stack>
            ),
            keys: <UserKeys id={user.id} />,
            rights: <UserRights id={user.id} />,
            security: <UserSecurity user={user} />,
            usage: <Spend user={user.id} />,
          }}
        />
      </Page>
      <UserForm editing={editing} onClose={() => setEditing(null)} />
    </Stack>
  );
}

function Overview({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const ways = [...(user.has_password ? [t("withPassword")] : []), ...user.identities.map(({ provider }) => provider)];
  return (
    <Card>
      <Facts
        facts={[
          [t("state"), <Enabled key="state" enabled={user.enabled} />],
          [t("role"), <Role key="role" user={user} />],
          [t("email"), user.email ?? common("none")],
          [t("signsInWith"), ways.join(", ") || t("withKeys")],
          [t("lastLogin"), <Time key="login" at={user.last_login_at} />],
          [t("created"), <Time key="created" at={user.created_at} />],
          [t("id"), String(user.id)],
        ]}
      />
    </Card>
  );
}
