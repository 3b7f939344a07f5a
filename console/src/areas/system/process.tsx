import { Alert, Group, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconAdjustmentsOff, IconInfoCircle, IconSearch } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Answer } from "@/api/types";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Status } from "@/ui/status";

type Setting = Answer<"/admin/settings/process">[number];

const route = getRouteApi("/_app/admin/system");

/** Process lists the settings that the process was started with, and where each comes from. */
export function Process() {
  const { t } = useTranslation("system");
  const { q, set } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, isFetching, refetch } = api.useQuery("post", "/admin/settings/process", { body: {} });
  const rows = useMemo(() => {
    const part = q?.toLowerCase() ?? "";
    return ((data ?? []) as Setting[]).filter(
      (s) => (!set || s.source !== "default") && `${s.name} ${s.variable}`.toLowerCase().includes(part),
    );
  }, [data, q, set]);
  const columns: Column<Setting>[] = [
    {
      id: "name",
      header: t("setting"),
      cell: (s) => (
        <Stack gap={0}>
          <span className="mono">{s.name}</span>
          <Text size="xs" c="dimmed" className="mono" visibleFrom="sm">
            {s.variable}
          </Text>
          {s.source !== "default" && (
            <Text size="xs" c="dimmed" hiddenFrom="sm">
              {t(`sources.${s.source}`)}
            </Text>
          )}
        </Stack>
      ),
    },
    { id: "value", header: t("value"), cell: (s) => <Value value={s.value} /> },
    {
      id: "source",
      header: t("source"),
      from: "wide",
      cell: (s) => (
        <Stack gap={2} align="flex-start">
          <Status tone={s.source === "default" ? "quiet" : "info"}>{t(`sources.${s.source}`)}</Status>
          {s.at && s.at !== s.variable && (
            <Text size="xs" c="dimmed">
              {s.at}
            </Text>
          )}
        </Stack>
      ),
    },
  ];
  const list = { rows, error, isPending, isFetching, hasMore: false, loadMore: () => {}, refetch: () => void refetch() };
  return (
    <Stack gap="sm">
      <Alert color="gray" icon={<IconInfoCircle aria-hidden />}>
        {t("processHint")}
      </Alert>
      <Group gap="md">
        <TextInput
          aria-label={t("searchSettings")}
          placeholder={t("searchSettings")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={q ?? ""}
          onChange={(event) =>
            void navigate({ search: (now) => ({ ...now, q: event.currentTarget.value || undefined }), replace: true })
          }
          data-page-search
          w={280}
        />
        <Switch
          label={t("onlySet")}
          checked={set === "only"}
          onChange={(event) =>
            void navigate({ search: (now) => ({ ...now, set: event.currentTarget.checked ? "only" : undefined }), replace: true })
          }
        />
      </Group>
      <DataTable
        label={t("tabs.process")}
        columns={columns}
        list={list}
        rowId={(s) => s.name}
        empty={
          <Empty icon={IconAdjustmentsOff} title={t("noSettings")}>
            {t("noSettingsBody")}
          </Empty>
        }
      />
    </Stack>
  );
}

function Value({ value }: { value: unknown }) {
  const { t } = useTranslation("system");
  const quiet = (text: string) => (
    <Text span inherit c="dimmed">
      {text}
    </Text>
  );
  if (value === "[redacted]") return quiet(t("redacted"));
  if (value === "" || value === null || value === undefined || (Array.isArray(value) && value.length === 0))
    return quiet(t("unset"));
  return <span className="mono">{Array.isArray(value) ? value.map(shown).join(", ") : shown(value)}</span>;
}

function shown(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
