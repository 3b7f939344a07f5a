import { Button, Text } from "@mantine/core";
import { IconDevices } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { confirm } from "@/ui/confirm";
import { DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Card } from "@/ui/page";
import { Status } from "@/ui/status";
import { useSessionColumns } from "./session-columns";

/** Sessions are where one is signed in. */
export function Sessions() {
  const { t } = useTranslation("account");
  const list = useRows("/user/sessions/query", {});
  const end = useAction("/user/sessions/delete", { stale: ["/user/sessions"], done: t("ended") });
  const others = list.rows.filter((s) => !s.current);
  const endAll = async () => {
    if (!(await confirm({ title: t("endAllTitle"), body: t("endAllBody"), confirm: t("endAll"), danger: true }))) return;
    for (const { id } of others) await end.mutateAsync({ id });
  };
  const columns = useSessionColumns((s) =>
    s.current ? (
      <Status tone="info">{t("this")}</Status>
    ) : (
      <Button size="compact-sm" variant="default" onClick={() => end.mutate({ id: s.id })}>
        {t("end")}
      </Button>
    ),
  );
  return (
    <Card
      title={t("sessions")}
      aside={
        others.length > 0 && (
          <Button variant="default" onClick={() => void endAll()}>
            {t("endAll")}
          </Button>
        )
      }
    >
      <Text size="sm" c="dimmed">
        {t("sessionsLead")}
      </Text>
      <DataTable
        label={t("sessions")}
        columns={columns}
        list={list}
        rowId={(s) => String(s.id)}
        empty={
          <Empty icon={IconDevices} title={t("sessions")}>
            {t("sessionsLead")}
          </Empty>
        }
      />
    </Card>
  );
}
