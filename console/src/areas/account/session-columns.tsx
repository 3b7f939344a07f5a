import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "@/api/types";
import type { Column } from "@/ui/data-table";
import { Time } from "@/ui/time";

export type Session = Schema<"Session">;

/** useSessionColumns show where somebody is signed in; end is what can be done about it. */
export function useSessionColumns(end: (session: Session) => ReactNode): Column<Session>[] {
  const { t } = useTranslation("account");
  return [
    {
      id: "device",
      header: t("device"),
      cell: (s) => (
        <Text size="sm" lineClamp={1} title={s.user_agent}>
          {s.device || s.user_agent || "–"}
        </Text>
      ),
    },
    { id: "address", header: t("address"), cell: (s) => s.ip },
    { id: "method", header: t("method"), from: "wide", cell: (s) => s.method },
    { id: "in", header: t("signedIn"), from: "wide", cell: (s) => <Time at={s.signed_in_at} /> },
    { id: "seen", header: t("lastSeen"), from: "wide", cell: (s) => <Time at={s.last_seen_at} /> },
    { id: "end", header: "", label: t("end"), align: "end", cell: end },
  ];
}
