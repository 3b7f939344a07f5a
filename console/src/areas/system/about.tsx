import { Anchor, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconLicense } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Answer } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Card, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Status } from "@/ui/status";

type Module = NonNullable<Answer<"/admin/about">["modules"]>[number];

/** About says which gateway this is, how it is, and what it is made of. */
export function About() {
  const { t } = useTranslation("system");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const { data, error, refetch } = api.useQuery("post", "/admin/about", { body: {} });
  const ready = useQuery({ queryKey: ["get", "/readyz"], queryFn: readiness, refetchInterval: 15_000, retry: false });
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const about = data as Answer<"/admin/about">;
  const columns: Column<Module>[] = [
    { id: "path", header: t("module"), cell: (m) => m.path },
    { id: "version", header: t("version"), from: "wide", cell: (m) => <span className="mono">{m.version}</span> },
    { id: "licence", header: t("licence"), cell: (m) => m.licence },
  ];
  const rest = { error: null, isPending: false, isFetching: false, hasMore: false, loadMore: () => {}, refetch: () => {} };
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title={t("release")}>
          <Facts
            facts={[
              [t("version"), about.version],
              [t("go"), about.go],
              [t("prices"), format.day(about.prices_date)],
              [t("licence"), "Apache-2.0"],
              [
                t("docs"),
                <Anchor key="docs" href="/docs" inherit>
                  {common("docs")}
                </Anchor>,
              ],
            ]}
          />
        </Card>
        <Card
          title={t("health")}
          aside={
            <Group aria-live="polite">
              <Status tone={ready.error ? "bad" : "good"}>{ready.error ? t("notReady") : t("serving")}</Status>
            </Group>
          }
        >
          <Facts
            facts={[
              [t("database"), t(`databases.${about.database}`)],
              [t("schema"), String(about.schema_version)],
            ]}
          />
          <Text size="sm" c="dimmed">
            {ready.error ? t("notReadyBody") : t("servingBody")}
          </Text>
        </Card>
      </SimpleGrid>
      <Stack gap="sm">
        <Text component="h2" fw={620} fz="1.0625rem">
          {t("modules")}
        </Text>
        <DataTable
          label={t("modules")}
          columns={columns}
          list={{ rows: about.modules ?? [], ...rest }}
          rowId={(m) => m.path}
          empty={
            <Empty icon={IconLicense} title={t("noModules")}>
              {t("noModulesBody")}
            </Empty>
          }
        />
      </Stack>
    </Stack>
  );
}

async function readiness(): Promise<boolean> {
  const response = await fetch("/readyz");
  await response.text(); // or the connection would wait for its reader
  if (!response.ok) throw new Error(`/readyz: ${response.status}`);
  return true;
}
