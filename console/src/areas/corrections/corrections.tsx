import { Anchor, Button, Stack, Text } from "@mantine/core";
import { IconReceiptRefund } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useUserNames } from "@/api/names";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Money } from "@/ui/money";
import { Page } from "@/ui/page";
import { PageTabs } from "@/ui/page-tabs";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";
import { tabs } from "./search";

type Adjustment = Row<"/admin/adjustments/query">;
type Rerating = Row<"/admin/re-ratings/query">;

const route = getRouteApi("/_app/admin/corrections");

/** CorrectionsPage lists what was put right of balances, and the periods that were priced anew. */
export function CorrectionsPage() {
  const { t } = useTranslation("corrections");
  const { tab = "adjustments" } = route.useSearch();
  const navigate = route.useNavigate();
  const rerate = (
    <Button variant="default" renderRoot={(props) => <Link to="/admin/prices" {...props} />}>
      {t("toPrices")}
    </Button>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={rerate}>
      <PageTabs
        tabs={tabs}
        tab={tab}
        name={(tab) => t(`tabs.${tab}`)}
        open={(tab) => void navigate({ search: { tab }, replace: true })}
        panels={{
          adjustments: <Adjustments />,
          reratings: <Reratings />,
        }}
      />
    </Page>
  );
}

function Adjustments() {
  const { t } = useTranslation("corrections");
  const format = useFormat();
  const userOf = useUserNames();
  const list = useRows("/admin/adjustments/query", { sort: "-id" });
  const whose = (a: Adjustment) =>
    a.scope === "user" ? (
      <Anchor size="sm" renderRoot={(props) => <Link to="/admin/users/$id" params={{ id: String(a.scope_id) }} {...props} />}>
        {userOf(a.scope_id)}
      </Anchor>
    ) : (
      `${t(`scopes.${a.scope}`)}${a.scope_id ? ` #${a.scope_id}` : ""}`
    );
  const columns: Column<Adjustment>[] = [
    { id: "at", header: t("time"), cell: (a) => <Time at={a.at} /> },
    { id: "whose", header: t("budget"), cell: whose },
    {
      id: "window",
      header: t("window"),
      from: "wide",
      cell: (a) => (
        <>
          {t(`windows.${a.window}`)} {a.window_start && format.day(a.window_start)}
        </>
      ),
    },
    {
      id: "kind",
      header: t("kind"),
      from: "wide",
      cell: (a) => (
        <Status tone={a.kind === "correction" ? "info" : "quiet"}>
          {a.rerating_id ? t("ofRerating", { id: a.rerating_id }) : t(`kinds.${a.kind}`)}
        </Status>
      ),
    },
    { id: "by", header: t("by"), from: "wider", cell: (a) => a.actor_name || t("operator") },
    {
      id: "reason",
      header: t("reason"),
      from: "wider",
      cell: (a) => (
        <Text size="sm" lineClamp={2} title={a.reason}>
          {a.reason || "–"}
        </Text>
      ),
    },
    { id: "amount", header: t("amount"), align: "end", cell: (a) => <Money dollars={a.amount} /> },
  ];
  return (
    <DataTable
      label={t("tabs.adjustments")}
      columns={columns}
      list={list}
      rowId={(a) => String(a.id)}
      empty={
        <Empty icon={IconReceiptRefund} title={t("noAdjustments")}>
          {t("noAdjustmentsBody")}
        </Empty>
      }
    />
  );
}

function Reratings() {
  const { t } = useTranslation("corrections");
  const format = useFormat();
  const list = useRows("/admin/re-ratings/query", { sort: "-id" });
  const columns: Column<Rerating>[] = [
    { id: "id", header: t("number"), cell: (r) => `#${r.id}` },
    { id: "at", header: t("time"), cell: (r) => <Time at={r.at} /> },
    {
      id: "period",
      header: t("period"),
      cell: (r) => (
        <Stack gap={0}>
          <span>{`${format.day(r.since)} – ${format.day(r.until)}`}</span>
          {r.selection && (
            <Text size="xs" c="dimmed" lineClamp={1} title={r.selection}>
              {r.selection}
            </Text>
          )}
        </Stack>
      ),
    },
    { id: "by", header: t("by"), from: "wider", cell: (r) => r.actor_name || t("operator") },
    {
      id: "reason",
      header: t("reason"),
      from: "wider",
      cell: (r) => (
        <Text size="sm" lineClamp={2} title={r.reason}>
          {r.reason || "–"}
        </Text>
      ),
    },
    {
      id: "calls",
      header: t("calls"),
      align: "end",
      from: "wide",
      cell: (r) => t("changedOf", { changed: format.number(r.changed), all: format.number(r.dispatches) }),
    },
    { id: "before", header: t("costBefore"), align: "end", from: "wide", cell: (r) => <Money dollars={r.cost_before} /> },
    { id: "after", header: t("costAfter"), align: "end", from: "wide", cell: (r) => <Money dollars={r.cost_after} /> },
    { id: "difference", header: t("difference"), align: "end", cell: (r) => <Money dollars={r.cost_after - r.cost_before} /> },
  ];
  return (
    <DataTable
      label={t("tabs.reratings")}
      columns={columns}
      list={list}
      rowId={(r) => String(r.id)}
      empty={
        <Empty icon={IconReceiptRefund} title={t("noReratings")}>
          {t("noReratingsBody")}
        </Empty>
      }
    />
  );
}
