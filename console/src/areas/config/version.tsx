import { Anchor, Breadcrumbs, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowBackUp, IconDownload, IconHistory } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { post, refresh } from "@/api/action";
import { api } from "@/api/client";
import { saveFile } from "@/api/download";
import { statusOf } from "@/api/problem";
import { useRows } from "@/api/rows";
import { CodeBlock } from "@/ui/code";
import { Empty } from "@/ui/empty";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Time } from "@/ui/time";
import { everything } from "./change";
import { Difference } from "./difference";
import { Origin, Size, type Version } from "./history";
import { PlanDialog } from "./plan-dialog";
import type { Plan } from "./plan-view";

const toHistory = (props: object) => <Link to="/admin/config" search={{ tab: "history" }} {...props} />;
const route = getRouteApi("/_app/admin/config/$version");

/** VersionPage is one version: what it changed, and the way back to it. */
export function VersionPage() {
  const { t } = useTranslation("config");
  const { version } = route.useParams();
  const id = Number(version);
  const known = Number.isSafeInteger(id) && id > 0;
  const list = useRows("/admin/config/history", { id: { eq: id } }, { enabled: known });
  const row = list.rows.find((v) => v.id === id);
  if (list.error) return <ProblemAlert error={list.error} retry={list.refetch} />;
  if (known && list.isPending) return <PageSkeleton />;
  if (!row)
    return (
      <>
        <h1 className="sr-only">{t("missingTitle")}</h1>
        <Empty
          icon={IconHistory}
          title={t("missingTitle")}
          action={
            <Button variant="default" renderRoot={toHistory}>
              {t("allVersions")}
            </Button>
          }
        >
          {t("missingBody")}
        </Empty>
      </>
    );
  return (
    <Stack gap="sm">
      <Breadcrumbs>
        <Anchor size="sm" renderRoot={toHistory}>
          {t("title")}
        </Anchor>
        <span>{t("versionName", { id })}</span>
      </Breadcrumbs>
      <Details key={id} row={row} />
    </Stack>
  );
}

function Details({ row }: { row: Version }) {
  const { t } = useTranslation("config");
  const [before, setBefore] = useState<boolean | null>(null);
  const lead = (
    <Group gap="sm" component="span">
      <span>
        {row.actor_name || t("operator")} · <Time at={row.at} />
      </span>
      <Origin version={row} />
      <Size version={row} />
    </Group>
  );
  const back = (
    <>
      <Button variant="default" onClick={() => setBefore(true)}>
        {t("backBefore")}
      </Button>
      <Button leftSection={<IconArrowBackUp size={18} aria-hidden />} onClick={() => setBefore(false)}>
        {t("backTo")}
      </Button>
    </>
  );
  return (
    <Page title={t("versionName", { id: row.id })} lead={lead} actions={back}>
      <Documents id={row.id} />
      {before !== null && <Rollback id={row.id} before={before} close={() => setBefore(null)} />}
    </Page>
  );
}

/** Documents are those from before and after a version, as their difference or one whole. */
function Documents({ id }: { id: number }) {
  const { t } = useTranslation("config");
  const [shown, setShown] = useState<"difference" | "before" | "after">("difference");
  const { data, error, refetch } = api.useQuery("post", "/admin/config/version", { body: { id } });
  if (error && statusOf(error) === 404) return <Text c="dimmed">{t("missingBody")}</Text>;
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const { before = "", after = "" } = data;
  const document = shown === "before" ? before : after;
  const save = () => saveFile(`tollgate-${id}.toml`, new Blob([document], { type: "application/toml" }));
  return (
    <Card
      title={t("documents")}
      aside={
        <Group gap="sm">
          <SegmentedControl
            aria-label={t("documents")}
            size="xs"
            value={shown}
            onChange={(value) => setShown(value as typeof shown)}
            data={[
              { value: "difference", label: t("difference") },
              { value: "before", label: t("before") },
              { value: "after", label: t("after") },
            ]}
          />
          <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={save}>
            {t("download")}
          </Button>
        </Group>
      }
    >
      {shown !== "difference" ? (
        <CodeBlock text={document} label={t(shown)} />
      ) : before === after ? (
        <Text c="dimmed">{t("sameDocuments")}</Text>
      ) : (
        <Difference before={before} after={after} label={t("difference")} />
      )}
    </Card>
  );
}

/** Rollback shows what going back would change, and goes. */
function Rollback({ id, before, close }: { id: number; before: boolean; close: () => void }) {
  const { t } = useTranslation("config");
  const queries = useQueryClient();
  const navigate = route.useNavigate();
  // A plan is of this moment: it is never taken from what was read before.
  const { data, error, refetch, isFetching } = api.useQuery(
    "post",
    "/admin/config/rollback",
    { body: { version: id, before, dry_run: true } },
    { gcTime: 0, staleTime: Number.POSITIVE_INFINITY, retry: false },
  );
  const apply = async (token: string) => {
    const done = await post("/admin/config/rollback", { version: id, before, token });
    notifications.show({ message: t("wentBack", { id: done.id }), color: "pine" });
    if (done.id > 0) await navigate({ to: "/admin/config/$version", params: { version: String(done.id) } });
    await refresh(queries, everything);
  };
  return (
    <PlanDialog
      title={t(before ? "backBeforeTitle" : "backToTitle", { id })}
      lead={t("backLead")}
      opened
      close={close}
      plan={data && !isFetching ? (data as Plan) : null}
      failure={error && !isFetching ? error : null}
      again={() => void refetch()}
      apply={apply}
    />
  );
}
