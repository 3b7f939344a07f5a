import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconBell } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useProviderNames, useUserNames } from "@/api/names";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";

type Alarm = Row<"/admin/alarms/query">;

/** AlarmsPage lists what somebody should look at. */
export function AlarmsPage() {
  const { t } = useTranslation("alarms");
  const format = useFormat();
  const userOf = useUserNames();
  const providerOf = useProviderNames();
  const list = useRows("/admin/alarms/query", { sort: "-id" }, { refetchInterval: 30_000 });
  const seen = useAction("/admin/alarms/acknowledge", { stale: ["/admin/alarms"], done: t("acknowledged") });
  const test = useAction("/admin/alarms/test", { stale: [] });
  const tryOut = async () => {
    const answer = await test.mutateAsync({});
    notifications.show(
      answer.delivered
        ? { message: t("tested"), color: "pine" }
        : { title: t("notTested"), message: answer.failure, color: "red" },
    );
  };
  const whose = (a: Alarm) => {
    if (a.kind !== "quota") return a.provider_id ? providerOf(a.provider_id) : "";
    if (a.scope === "user" && a.user_id) return userOf(a.user_id);
    return `${a.scope} ${a.key_id || a.team_id || ""}`.trim();
  };
  const whatOf = (a: Alarm) =>
    a.kind === "quota"
      ? t("kinds.quota", { share: format.percent((a.threshold ?? 0) / 100) })
      : a.kind === "unpriced"
        ? t("kinds.unpriced", { model: a.model })
        : t("kinds.overrun", { model: a.model, amount: format.money(a.overrun) });
  const columns: Column<Alarm>[] = [
    { id: "at", header: t("time"), cell: (a) => <Time at={a.at} /> },
    { id: "what", header: t("what"), cell: (a) => [whatOf(a), whose(a)].filter(Boolean).join(" · ") },
    {
      id: "spent",
      header: t("spent"),
      align: "end",
      from: "wide",
      cell: (a) => (a.kind === "quota" ? `${format.money(a.cost_used)} / ${format.money(a.quota)}` : "–"),
    },
    {
      id: "state",
      header: t("state"),
      cell: (a) => <Status tone={a.open ? "bad" : "quiet"}>{a.open ? t("open") : t("over")}</Status>,
    },
    {
      id: "seen",
      header: "",
      label: t("acknowledge"),
      align: "end",
      cell: (a) =>
        a.acknowledged_at ? (
          <>
            {t("seen")} <Time at={a.acknowledged_at} />
          </>
        ) : (
          <Button size="compact-sm" variant="default" onClick={() => seen.mutate({ id: a.id })}>
            {t("acknowledge")}
          </Button>
        ),
    },
  ];
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        <Button variant="default" loading={test.isPending} onClick={() => void tryOut()}>
          {t("test")}
        </Button>
      }
    >
      <DataTable
        label={t("title")}
        columns={columns}
        list={list}
        rowId={(a) => String(a.id)}
        empty={
          <Empty icon={IconBell} title={t("emptyTitle")}>
            {t("emptyBody")}
          </Empty>
        }
      />
    </Page>
  );
}
