import { Anchor, Breadcrumbs, Button, Stack } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";
import { Enabled } from "@/ui/status";
import { Time } from "@/ui/time";
import { useProviderActions } from "./actions";
import { Credentials } from "./credentials";
import { Models } from "./models";
import { type Editing, type Provider, ProviderForm } from "./provider-form";

const route = getRouteApi("/_app/admin/providers/$id");

/** ProviderPage is all that is known of one provider. */
export function ProviderPage() {
  const { t } = useTranslation("providers");
  const { id: asked } = route.useParams();
  const id = Number(asked);
  const list = useRows("/admin/providers/query", { id: { eq: id } }, { enabled: Number.isSafeInteger(id) && id > 0 });
  const provider = list.rows[0];
  if (list.error) return <ProblemAlert error={list.error} retry={list.refetch} />;
  if (provider) return <Details provider={provider} />;
  if (list.isFetching) return <PageSkeleton />;
  const back = (
    <Button component={Link} to="/admin/providers" variant="default">
      {t("title")}
    </Button>
  );
  return (
    <>
      <h1 className="sr-only">{t("missingTitle")}</h1>
      <Empty icon={IconPlugConnectedX} title={t("missingTitle")} action={back}>
        #{asked}
      </Empty>
    </>
  );
}

function Details({ provider }: { provider: Provider }) {
  const { t } = useTranslation("providers");
  const navigate = route.useNavigate();
  const [editing, setEditing] = useState<Editing>(null);
  const actionsOf = useProviderActions(setEditing, () => void navigate({ to: "/admin/providers" }));
  return (
    <Stack gap="sm">
      <Breadcrumbs>
        <Anchor component={Link} to="/admin/providers" size="sm">
          {t("title")}
        </Anchor>
        <span>{provider.name}</span>
      </Breadcrumbs>
      <Page title={provider.name} actions={<RowMenu name={provider.name} items={actionsOf(provider)} />}>
        <Card>
          <Facts
            facts={[
              [t("state"), <Enabled key="state" enabled={provider.enabled} />],
              [t("kind"), provider.kind],
              [t("baseUrl"), provider.base_url || t("kindOwn")],
              [t("created"), <Time key="created" at={provider.created_at} />],
            ]}
          />
        </Card>
        <Credentials provider={provider.id} kind={provider.kind} />
        <Models provider={provider.id} />
      </Page>
      <ProviderForm editing={editing} onClose={() => setEditing(null)} />
    </Stack>
  );
}
