import { Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { useRows } from "@/api/rows";
import type { Quota, Schema } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Card, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { QuotaBar } from "@/ui/quota";

/** UserQuotas shows what a user has spent of each budget. */
export function UserQuotas({ id }: { id: number }) {
  const { t } = useTranslation("users");
  const list = useRows("/admin/user-quotas/query", { user_id: { eq: id } });
  const quotas = list.rows as unknown as Quota[];
  return (
    <Card title={t("quotas")}>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {!list.isPending && quotas.length === 0 && <Nothing>{t("noQuota")}</Nothing>}
      {quotas.map((quota) => (
        <QuotaBar
          key={`${quota.scope} ${quota.key_id} ${quota.window}`}
          quota={quota}
          name={t(`window.${quota.window}`)}
          resets={t("resets")}
        />
      ))}
    </Card>
  );
}

function Nothing({ children }: { children: string }) {
  return (
    <Text c="dimmed" size="sm">
      {children}
    </Text>
  );
}

/** UserRights shows what a user may, and where that comes from. */
export function UserRights({ id }: { id: number }) {
  const { t } = useTranslation("users");
  const format = useFormat();
  const { data, error, refetch } = api.useQuery("post", "/admin/users/effective", { body: { id } });
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const rights = data as Schema<"EffectiveRights">;
  const limit = (n: number | null) => (n === null ? "–" : format.number(n));
  return (
    <Stack>
      <Card title={t("permissions")}>
        {rights.permissions.length === 0 ? (
          <Nothing>{t("noPermissions")}</Nothing>
        ) : (
          <Grid
            heads={[t("provider"), t("pattern"), t("source")]}
            rows={rights.permissions.map((p) => [
              p.provider === "*" ? t("everyProvider") : p.provider,
              p.model_pattern,
              p.source === "admin_role" ? t("sourceRole") : t("sourcePermission"),
            ])}
          />
        )}
      </Card>
      <Card title={t("limits")}>
        {rights.rate_limits.length === 0 ? (
          <Nothing>{t("noLimits")}</Nothing>
        ) : (
          <Grid
            heads={[t("pattern"), t("rpm"), t("rpd"), t("tpm"), t("concurrency")]}
            rows={rights.rate_limits.map((l) => [
              l.model_pattern,
              limit(l.rpm),
              limit(l.rpd),
              limit(l.total_tokens),
              limit(l.concurrency),
            ])}
          />
        )}
      </Card>
    </Stack>
  );
}

function Grid({ heads, rows }: { heads: string[]; rows: ReactNode[][] }) {
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head) => (
              <Table.Th key={head} scope="col">
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((cells) => (
            <Table.Tr key={cells.join(" ")}>
              {cells.map((cell, i) => (
                <Table.Td key={heads[i]} className="tabular">
                  {cell}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
