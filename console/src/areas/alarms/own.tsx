import { Button } from "@mantine/core";
import { IconBellCheck } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";

type Alarm = Row<"/user/alarms/query">;

/** OwnAlarmsPage lists what was noticed of one's own budgets. */
export function OwnAlarmsPage() {
  const { t } = useTranslation("alarms");
  const format = useFormat();
  const list = useRows("/user/alarms/query", { sort: "-id" }, { refetchInterval: 60_000 });
  const whose = (a: Alarm) => t(`scopes.${a.scope as "user"}`) + (a.key_id ? ` #${a.key_id}` : "");
  const columns: Column<Alarm>[] = [
    { id: "at", header: t("time"), cell: (a) => <Time at={a.at} /> },
    {
      id: "what",
      header: t("what"),
      cell: (a) => `${t("kinds.quota", { share: format.percent((a.threshold ?? 0) / 100) })} · ${whose(a)}`,
    },
    { id: "spent", header: t("spent"), align: "end", cell: (a) => `${format.money(a.cost_used)} / ${format.money(a.quota)}` },
    { id: "resets", header: t("resets"), from: "wide", cell: (a) => <Time at={a.resets_at} /> },
    {
      id: "state",
      header: t("state"),
      cell: (a) => <Status tone={a.open ? "bad" : "quiet"}>{a.open ? t("open") : t("over")}</Status>,
    },
  ];
  const ask = (
    <Button variant="default" renderRoot={(props) => <Link to="/asks" {...props} />}>
      {t("ask")}
    </Button>
  );
  return (
    <Page title={t("ownTitle")} lead={t("ownLead")} actions={ask}>
      <DataTable
        label={t("ownTitle")}
        columns={columns}
        list={list}
        rowId={(a) => String(a.id)}
        empty={
          <Empty icon={IconBellCheck} title={t("emptyTitle")}>
            {t("ownEmpty")}
          </Empty>
        }
      />
    </Page>
  );
}
