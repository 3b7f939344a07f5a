import { Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useProviderNames } from "@/api/names";
import { useWhole } from "@/api/rows";
import { CredentialState } from "@/ui/credential-state";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Time } from "@/ui/time";

/** Health shows how the credentials at the providers fare. */
export function Health() {
  const { t } = useTranslation("overview");
  const list = useWhole("/admin/credential-statuses/query", {}, { refetchInterval: 30_000 });
  const nameOf = useProviderNames();
  return (
    <Card title={t("health")}>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {!list.isPending && list.rows.length === 0 && (
        <Text c="dimmed" size="sm">
          {t("nothing")}
        </Text>
      )}
      {list.rows.length > 0 && (
        <Table aria-label={t("health")}>
          <Table.Tbody>
            {list.rows.map((s) => (
              <Table.Tr key={s.credential_id}>
                <Table.Th scope="row" fw={500}>
                  {nameOf(s.provider_id)}
                </Table.Th>
                <Table.Td>#{s.credential_id}</Table.Td>
                <Table.Td>
                  <CredentialState of={s} />
                </Table.Td>
                <Table.Td ta="end">
                  <Time at={s.last_success_at} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}
