import { Button, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { api } from "@/api/client";
import { useRows } from "@/api/rows";
import type { Quota, Schema } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { Card, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { QuotaBar } from "@/ui/quota";
import { RowMenu } from "@/ui/row-menu";
import { usersStale } from "./actions";
import { LimitForm, PermissionForm, QuotaForm } from "./rights-forms";

/** UserQuotas shows what a user has spent of each budget. */
export function UserQuotas({ id }: { id: number }) {
  const { t } = useTranslation("users");
  const list = useRows("/admin/user-quotas/query", { user_id: { eq: id } });
  const quotas = list.rows as unknown as Quota[];
  const [opened, form] = useDisclosure();
  const set = (
    <Button variant="default" size="sm" onClick={form.open}>
      {t("setQuota")}
    </Button>
  );
  return (
    <Card title={t("quotas")} aside={set}>
      <QuotaForm user={id} opened={opened} close={form.close} />
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

/** UserRights shows what a user may, where that comes from, and lets an admin change it. */
export function UserRights({ id }: { id: number }) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const [permitting, permit] = useDisclosure();
  const [limiting, bound] = useDisclosure();
  const { data, error, refetch } = api.useQuery("post", "/admin/users/effective", { body: { id } });
  const own = useRows("/admin/user-permissions/query", { user_id: { eq: id } });
  const providers = useRows("/admin/providers/query", {});
  const removePermission = useAction("/admin/user-permissions/delete", { stale: usersStale, done: t("saved") }).mutate;
  const removeLimit = useAction("/admin/user-rate-limits/delete", { stale: usersStale, done: t("saved") }).mutate;
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const rights = data as Schema<"Rights">;
  const limit = (n: number | null) => (n === null ? "–" : format.number(n));
  const ask = async (then: () => void) => {
    const question = { title: t("removeRightTitle"), body: t("removeRightBody"), confirm: t("removeRight"), danger: true };
    if (await confirm(question)) then();
  };
  const menu = (name: string, remove: () => void) => (
    <RowMenu name={name} items={[{ label: t("removeRight"), run: () => void ask(remove), danger: true }]} />
  );
  const providerOf = (provider: number | null) => providers.rows.find((p) => p.id === provider)?.name ?? t("everyProvider");
  const byRole = rights.permissions.filter((p) => p.source === "admin_role");
  const add = (open: () => void, label: string) => (
    <Button variant="default" size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
      {label}
    </Button>
  );
  return (
    <Stack>
      <Card title={t("permissions")} aside={add(permit.open, t("addPermission"))}>
        {byRole.length + own.rows.length === 0 ? (
          <Nothing>{t("noPermissions")}</Nothing>
        ) : (
          <Grid
            heads={[t("provider"), t("pattern"), t("source"), common("actions")]}
            rows={[
              ...byRole.map((p) => ({
                key: `role ${p.provider} ${p.model_pattern}`,
                cells: [p.provider === "*" ? t("everyProvider") : p.provider, p.model_pattern, t("sourceRole"), ""],
              })),
              ...own.rows.map((p) => ({
                key: String(p.id),
                cells: [
                  providerOf(p.provider_id),
                  p.model_pattern,
                  t("sourcePermission"),
                  menu(p.model_pattern, () => removePermission({ id: p.id })),
                ],
              })),
            ]}
          />
        )}
        <PermissionForm user={id} opened={permitting} close={permit.close} />
      </Card>
      <Card title={t("limits")} aside={add(bound.open, t("addLimit"))}>
        {rights.rate_limits.length === 0 ? (
          <Nothing>{t("noLimits")}</Nothing>
        ) : (
          <Grid
            heads={[t("pattern"), t("rpm"), t("rpd"), t("tpm"), t("concurrency"), common("actions")]}
            rows={rights.rate_limits.map((l) => ({
              key: String(l.id),
              cells: [
                l.model_pattern,
                limit(l.rpm),
                limit(l.rpd),
                limit(l.total_tokens),
                limit(l.concurrency),
                menu(l.model_pattern, () => removeLimit({ id: l.id })),
              ],
            }))}
          />
        )}
        <LimitForm user={id} opened={limiting} close={bound.close} />
      </Card>
    </Stack>
  );
}

function Grid({ heads, rows }: { heads: string[]; rows: { key: string; cells: ReactNode[] }[] }) {
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
          {rows.map(({ key, cells }) => (
            <Table.Tr key={key}>
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
