import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { download } from "@/api/download";
import { problemOf } from "@/api/problem";
import type { Body } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Copy } from "@/ui/copy";
import { Facts } from "@/ui/facts";

interface Head {
  id: number;
  entries: number;
  hash: string;
}

/** ExportAudit saves the entries that are shown, and tells the head of the chain that proves them. */
export function ExportAudit({ filter }: { filter: Body<"/admin/audit/export"> }) {
  const { t } = useTranslation("audit");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const [busy, setBusy] = useState(false);
  const [head, setHead] = useState<Head | null>(null);
  const run = async () => {
    setBusy(true);
    try {
      setHead(await headOf(await download("/admin/audit/export", filter)));
    } catch (error) {
      notifications.show({ title: common("failed"), message: problemOf(error)?.detail ?? common("unreachable"), color: "red" });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={busy} onClick={() => void run()}>
        {t("export")}
      </Button>
      <Modal opened={head !== null} onClose={() => setHead(null)} title={t("exported")} size="lg">
        {head && (
          <Stack>
            <Text size="sm">{t("exportedBody")}</Text>
            <Facts
              facts={[
                [t("headEntries"), format.number(head.entries)],
                [
                  t("head"),
                  <span key="hash" className="mono">
                    {head.hash}
                  </span>,
                ],
              ]}
            />
            <Group justify="flex-end">
              <Copy value={head.hash} label={common("copy")} />
              <Button onClick={() => setHead(null)}>{common("close")}</Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}

/** headOf reads the last line of an export. */
async function headOf(file: Blob): Promise<Head | null> {
  const end = await file.slice(-1000).text();
  const line = end.trimEnd().split("\n").at(-1) ?? "";
  return (JSON.parse(line) as { head?: Head }).head ?? null;
}
