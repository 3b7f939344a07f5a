import { Progress, Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Schema } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Money } from "@/ui/money";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import type { Range } from "./search";

const paths = {
  models: "/admin/dashboard/top-models",
  users: "/admin/dashboard/top-users",
  providers: "/admin/dashboard/top-providers",
} as const;
const titles = { models: "topModels", users: "topUsers", providers: "topProviders" } as const;

/** TopTable shows what costs most. */
export function TopTable({ what, range }: { what: keyof typeof paths; range: Range }) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const { data, error, refetch } = api.useQuery("post", paths[what], { body: { range, limit: 6 } });
  const rows = (data ?? []) as Schema<"Top">[];
  const most = Math.max(...rows.map((r) => r.cost), 0);
  const title = t(titles[what]);
  return (
    <Card title={title}>
      {error && <ProblemAlert error={error} retry={refetch} />}
      {data && rows.length === 0 && (
        <Text c="dimmed" size="sm">
          {t("nothing")}
        </Text>
      )}
      {rows.length > 0 && (
        <Table aria-label={title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t("name")}</Table.Th>
              <Table.Th scope="col" ta="end">
                {t("calls")}
              </Table.Th>
              {what === "providers" && (
                <Table.Th scope="col" ta="end">
                  {t("failed")}
                </Table.Th>
              )}
              <Table.Th scope="col" ta="end">
                {t("cost")}
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((r) => (
              <Table.Tr key={`${r.id} ${r.name}`}>
                <Table.Th scope="row" fw={500}>
                  <Stack gap={4}>
                    <Text size="sm" lineClamp={1} title={r.name}>
                      {r.name}
                    </Text>
                    <Progress value={most > 0 ? (100 * r.cost) / most : 0} size={4} aria-hidden />
                  </Stack>
                </Table.Th>
                <Table.Td ta="end" className="tabular">
                  {format.tokens(r.dispatches)}
                </Table.Td>
                {what === "providers" && (
                  <Table.Td ta="end" className="tabular" c={r.errors > 0 ? "var(--mantine-color-error)" : undefined}>
                    {format.tokens(r.errors)}
                  </Table.Td>
                )}
                <Table.Td ta="end">
                  <Money dollars={r.cost} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}
