import { Anchor, Group, Text } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";

export type Version = Row<"/admin/config/history">;

/** History lists the versions that documents made. */
export function History() {
  const { t } = useTranslation("config");
  const list = useRows("/admin/config/history", { sort: "-id" });
  const columns: Column<Version>[] = [
    {
      id: "id",
      header: t("version"),
      cell: (v) => (
        <Anchor
          size="sm"
          fw={550}
          renderRoot={(props) => <Link to="/admin/config/$version" params={{ version: String(v.id) }} {...props} />}
        >
          {t("versionName", { id: v.id })}
        </Anchor>
      ),
    },
    { id: "at", header: t("time"), cell: (v) => <Time at={v.at} /> },
    { id: "by", header: t("by"), from: "wide", cell: (v) => v.actor_name || t("operator") },
    { id: "origin", header: t("origin"), from: "wide", cell: (v) => <Origin version={v} /> },
    { id: "size", header: t("changes"), align: "end", cell: (v) => <Size version={v} /> },
  ];
  return (
    <DataTable
      label={t("tabs.history")}
      columns={columns}
      list={list}
      rowId={(v) => String(v.id)}
      empty={
        <Empty icon={IconHistory} title={t("noVersions")}>
          {t("noVersionsBody")}
        </Empty>
      }
    />
  );
}

/** Origin tells how a version came about. */
export function Origin({ version: v }: { version: Version }) {
  const { t } = useTranslation("config");
  return (
    <Status tone={v.origin === "rollback" ? "warn" : "info"}>
      {v.rolled_back_to ? t("origins.rollbackTo", { id: v.rolled_back_to }) : t(`origins.${v.origin}`)}
    </Status>
  );
}

/** Size tells how many records a version made, changed and deleted. */
export function Size({ version: v }: { version: Version }) {
  const { t } = useTranslation("config");
  const format = useFormat();
  const parts = [
    ["+", v.created, "actions.create", "green"],
    ["~", v.updated, "actions.update", "pine"],
    ["−", v.deleted, "actions.delete", "red"],
  ] as const;
  const present = parts.filter(([, n]) => n > 0);
  if (present.length === 0) return "–";
  return (
    <Group gap={10} justify="flex-end" wrap="nowrap" component="span">
      {present.map(([sign, n, name, colour]) => (
        <Text key={sign} span size="sm" fw={600} c={`var(--mantine-color-${colour}-light-color)`} title={t(name)}>
          {sign}
          {format.number(n)}
          <span className="sr-only"> {t(name)}</span>
        </Text>
      ))}
    </Group>
  );
}
