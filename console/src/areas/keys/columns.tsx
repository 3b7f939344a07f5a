import { Code, Group, Stack, Text } from "@mantine/core";
import type { TFunction } from "i18next";
import type { Key } from "@/api/types";
import type { Column } from "@/ui/data-table";
import { Enabled, Status } from "@/ui/status";
import { Time } from "@/ui/time";

type Texts = TFunction<"keys">;

/** nameOf is what a key is called. */
export function nameOf(key: Key, t: Texts): string {
  return key.label || t("unnamed");
}

/** keyColumns are the columns of every list of keys. */
export function keyColumns(t: Texts, menu: Column<Key>["cell"], menuLabel: string): Column<Key>[] {
  return [
    {
      id: "label",
      header: t("label"),
      sort: "label",
      cell: (key) => (
        <Stack gap={0}>
          <Text size="sm" fw={550}>
            {nameOf(key, t)}
          </Text>
          <Code className="mono" bg="transparent" p={0} c="dimmed">
            {key.prefix}…{key.last4}
          </Code>
        </Stack>
      ),
    },
    { id: "status", header: t("status"), cell: (key) => <KeyStatus keyRow={key} t={t} /> },
    { id: "used", header: t("lastUsed"), sort: "last_used_at", from: "wide", cell: (key) => <Time at={key.last_used_at} /> },
    {
      id: "end",
      header: t("end"),
      sort: "expires_at",
      from: "wider",
      cell: (key) => <Time at={key.expires_at} absent={t("forever")} />,
    },
    { id: "created", header: t("createdAt"), sort: "created_at", from: "wider", cell: (key) => <Time at={key.created_at} /> },
    { id: "menu", header: "", label: menuLabel, align: "end", cell: menu },
  ];
}

function KeyStatus({ keyRow, t }: { keyRow: Key; t: Texts }) {
  const expired = keyRow.expires_at !== null && new Date(keyRow.expires_at) < new Date();
  return (
    <Group gap={6}>
      {expired ? <Status tone="warn">{t("expired")}</Status> : <Enabled enabled={keyRow.enabled} />}
      {keyRow.needs_secret && <Status tone="warn">{t("needsSecret")}</Status>}
    </Group>
  );
}
