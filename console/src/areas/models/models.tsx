import { Group, Stack, Text, TextInput } from "@mantine/core";
import { IconCpu, IconSearch } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Schema } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Copy } from "@/ui/copy";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";

type Model = Schema<"OwnModel">;

const route = getRouteApi("/_app/models");

/** ModelsPage lists what one may use, by the names to send. */
export function ModelsPage() {
  const { t } = useTranslation("models");
  const format = useFormat();
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, isFetching, refetch } = api.useQuery("post", "/user/models", { body: {} });
  const rows = useMemo(() => {
    const part = q?.toLowerCase() ?? "";
    return ((data ?? []) as Model[]).filter((m) => `${m.id} ${m.display_name} ${m.provider}`.toLowerCase().includes(part));
  }, [data, q]);
  const columns = useMemo((): Column<Model>[] => {
    const tokens = (n: number) => (n > 0 ? format.tokens(n) : t("unknown"));
    return [
      {
        id: "name",
        header: t("name"),
        cell: (m) => (
          <Group gap="xs" wrap="nowrap">
            <Stack gap={0}>
              <Text size="sm" fw={550} lineClamp={1}>
                {m.id}
              </Text>
              {m.display_name && m.display_name !== m.id && (
                <Text size="xs" c="dimmed" lineClamp={1}>
                  {m.display_name}
                </Text>
              )}
            </Stack>
            <Copy value={m.id} />
          </Group>
        ),
      },
      { id: "provider", header: t("provider"), cell: (m) => m.provider },
      { id: "context", header: t("context"), align: "end", from: "wide", cell: (m) => tokens(m.context_tokens) },
      { id: "output", header: t("output"), align: "end", from: "wide", cell: (m) => tokens(m.output_tokens) },
    ];
  }, [t, format]);
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Stack gap="sm">
        <TextInput
          aria-label={t("search")}
          placeholder={t("search")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={q ?? ""}
          onChange={(event) => void navigate({ search: { q: event.currentTarget.value || undefined }, replace: true })}
          data-page-search
          maw={360}
        />
        <DataTable
          label={t("title")}
          columns={columns}
          list={{ rows, error, isPending, isFetching, hasMore: false, loadMore: () => {}, refetch: () => void refetch() }}
          rowId={(m) => `${m.provider} ${m.id}`}
          empty={
            <Empty icon={IconCpu} title={t("emptyTitle")}>
              {t("emptyBody")}
            </Empty>
          }
        />
      </Stack>
    </Page>
  );
}
