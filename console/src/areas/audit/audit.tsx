import { Button, Drawer, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconHistory, IconSearch } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { CodeBlock } from "@/ui/code";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Page } from "@/ui/page";
import { Time } from "@/ui/time";
import { ExportAudit } from "./export";

type Entry = Row<"/admin/audit/query">;

const route = getRouteApi("/_app/admin/audit");
const targets = [
  "user",
  "key",
  "session",
  "provider",
  "credential",
  "model",
  "price",
  "permission",
  "limit",
  "quota",
  "setting",
  "team",
];

/** AuditPage lists who changed what. */
export function AuditPage() {
  const { t } = useTranslation("audit");
  const { action, target } = route.useSearch();
  const navigate = route.useNavigate();
  const [shown, setShown] = useState<Entry | null>(null);
  const filter = { ...(action && { action: { eq: action } }), ...(target && { target: { eq: target } }) };
  const list = useRows("/admin/audit/query", { sort: "-id", ...filter });
  const typed = useDebouncedCallback(
    (text: string) => void navigate({ search: (now) => ({ ...now, action: text || undefined }), replace: true }),
    300,
  );
  const columns: Column<Entry>[] = [
    { id: "at", header: t("time"), cell: (e) => <Time at={e.at} /> },
    { id: "actor", header: t("actor"), cell: (e) => e.actor_name || "–" },
    { id: "action", header: t("action"), cell: (e) => e.action },
    { id: "target", header: t("target"), cell: (e) => (e.target_id ? `${e.target} #${e.target_id}` : e.target) },
    { id: "via", header: t("via"), from: "wide", cell: (e) => e.via },
    { id: "ip", header: t("address"), from: "wider", cell: (e) => e.ip || "–" },
    {
      id: "show",
      header: "",
      label: t("details"),
      align: "end",
      cell: (e) => (
        <Button size="compact-sm" variant="default" onClick={() => setShown(e)} aria-label={`${t("show")}: ${e.action} #${e.id}`}>
          {t("show")}
        </Button>
      ),
    },
  ];
  return (
    <Page title={t("title")} lead={t("lead")} actions={<ExportAudit filter={filter} />}>
      <Stack gap="sm">
        <Group gap="sm">
          <TextInput
            aria-label={t("searchAction")}
            placeholder={t("searchAction")}
            leftSection={<IconSearch size={16} aria-hidden />}
            defaultValue={action}
            onChange={(event) => typed(event.currentTarget.value)}
            data-page-search
            w={260}
          />
          <Select
            aria-label={t("target")}
            placeholder={t("anyTarget")}
            data={targets}
            value={target ?? null}
            onChange={(value) => void navigate({ search: (now) => ({ ...now, target: value ?? undefined }), replace: true })}
            clearable
            w={170}
          />
        </Group>
        <DataTable
          label={t("title")}
          columns={columns}
          list={list}
          rowId={(e) => String(e.id)}
          empty={
            <Empty icon={IconHistory} title={t("emptyTitle")}>
              {t("emptyBody")}
            </Empty>
          }
        />
      </Stack>
      <Drawer opened={shown !== null} onClose={() => setShown(null)} title={t("details")} position="right" size="lg">
        {shown && <Details entry={shown} />}
      </Drawer>
    </Page>
  );
}

function Details({ entry: e }: { entry: Entry }) {
  const { t } = useTranslation("audit");
  const { before, after } = (e.detail ?? {}) as { before?: unknown; after?: unknown };
  return (
    <Stack>
      <Facts
        facts={[
          [t("time"), <Time key="at" at={e.at} />],
          [t("actor"), e.actor_name || "–"],
          [t("action"), e.action],
          [t("target"), `${e.target} #${e.target_id}`],
          [t("via"), e.via],
          [t("address"), e.ip || "–"],
          [t("request"), e.request_id || "–"],
          [
            t("hash"),
            <span key="hash" className="mono">
              {e.hash}
            </span>,
          ],
        ]}
      />
      <Text fw={600}>{t("before")}</Text>
      <CodeBlock text={JSON.stringify(before ?? null, null, 2)} label={t("before")} />
      <Text fw={600}>{t("after")}</Text>
      <CodeBlock text={JSON.stringify(after ?? null, null, 2)} label={t("after")} />
    </Stack>
  );
}
