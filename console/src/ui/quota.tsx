import { Group, Progress, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Quota } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Money } from "./money";
import { Time } from "./time";

/** shareOf is how much of a quota is spent or held, 0 to 1; a quota of nothing is used up. */
export function shareOf(quota: Quota): number {
  if (quota.quota === 0) return 1;
  return quota.quota ? Math.min(1, (quota.cost_used + quota.held) / quota.quota) : 0;
}

function colourOf(share: number) {
  return share >= 1 ? "red" : share >= 0.8 ? "orange" : "pine";
}

interface BarProps {
  quota: Quota;
  name: string;
  /** Whose it is, where that is not plain. */
  from?: ReactNode;
  resets: string;
}

/** QuotaBar shows what is spent and held of one quota. */
export function QuotaBar({ quota, name, from, resets }: BarProps) {
  const { t } = useTranslation("common");
  const format = useFormat();
  const share = shareOf(quota);
  const shown = `${format.money(quota.cost_used)} / ${quota.quota == null ? t("unlimited") : format.money(quota.quota)}`;
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={550}>
          {name}
          {from && <> · {from}</>}
        </Text>
        <Text size="sm">
          <Money dollars={quota.cost_used} /> / {quota.quota == null ? t("unlimited") : <Money dollars={quota.quota} />}
        </Text>
      </Group>
      <Progress value={share * 100} color={colourOf(share)} size="md" aria-label={`${name}: ${shown}`} />
      <Text size="xs" c="dimmed" component="div">
        {quota.quota != null && format.percent(share)}
        {quota.resets_at && (
          <>
            {quota.quota != null && " · "}
            {resets} <Time at={quota.resets_at} />
          </>
        )}
      </Text>
    </Stack>
  );
}

/** QuotaLine is a quota in a cell of a table. */
export function QuotaLine({ quota, name }: { quota: Quota; name: string }) {
  const { t } = useTranslation("common");
  const format = useFormat();
  const share = shareOf(quota);
  const shown = `${format.money(quota.cost_used)} / ${quota.quota == null ? t("unlimited") : format.money(quota.quota)}`;
  return (
    <Stack gap={4} miw={130} maw={220}>
      <Text size="xs" className="tabular">
        {shown}{" "}
        <Text span inherit c="dimmed">
          {name}
        </Text>
      </Text>
      <Progress value={share * 100} color={colourOf(share)} size="sm" aria-label={`${name}: ${shown}`} />
    </Stack>
  );
}
