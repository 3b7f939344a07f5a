import { Box, Button, Group, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Quota } from "@/api/types";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { QuotaBar } from "@/ui/quota";
import { RowMenu } from "@/ui/row-menu";
import { Nothing } from "@/ui/small-table";
import { idOf, type Owner, ownedBy, rightsStale, whose } from "./owner";
import { type QuotaEditing, QuotaForm, quotaPaths } from "./quota-form";
import { useRemoval } from "./use-removal";

interface BudgetsProps {
  owner: Owner;
  /** Budgets of others that bind the owner too, with whose they are. */
  inherited?: { quota: Quota; from: ReactNode }[];
}

/** Budgets are what somebody may spend, with what is left of it. */
export function Budgets({ owner, inherited = [] }: BudgetsProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const [editing, setEditing] = useState<QuotaEditing>(null);
  const paths = owner.scope === "user" ? quotaPaths.user : quotaPaths.all;
  const list = useRows(paths.query, whose(owner));
  const quotas = list.rows as unknown as Quota[];
  const remove = useAction(paths.remove, { stale: rightsStale, done: t("saved") }).mutate;
  const ask = useRemoval();
  const set = (
    <Button variant="default" size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEditing("new")}>
      {t("setQuota")}
    </Button>
  );
  return (
    <Card title={t("budgets")} aside={set}>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {!list.isPending && quotas.length + inherited.length === 0 && <Nothing>{t("noQuota")}</Nothing>}
      {quotas.map((quota) => (
        <Group key={idOf(quota)} wrap="nowrap" align="flex-start">
          <Box flex={1} miw={0}>
            <QuotaBar quota={quota} name={t(`window.${quota.window}`)} resets={t("resets")} />
          </Box>
          <RowMenu
            name={t(`window.${quota.window}`)}
            items={[
              { label: common("edit"), run: () => setEditing(quota) },
              {
                label: t("remove"),
                run: () => ask(() => remove({ ...ownedBy(owner), window: quota.window })),
                danger: true,
              },
            ]}
          />
        </Group>
      ))}
      {inherited.length > 0 && (
        <Text size="sm" c="dimmed">
          {t("alsoBound")}
        </Text>
      )}
      {inherited.map(({ quota, from }) => (
        <QuotaBar key={idOf(quota)} quota={quota} name={t(`window.${quota.window}`)} from={from} resets={t("resets")} />
      ))}
      <QuotaForm owner={owner} editing={editing} close={() => setEditing(null)} />
    </Card>
  );
}
