import { Group, Progress, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Quota } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Money } from "./money";
import { Time } from "./time";

/** QuotaBar shows what is spent and held of one quota. */
export function QuotaBar({ quota, name, resets }: { quota: Quota; name: string; resets: string }) {
  const { t } = useTranslation("common");
  const format = useFormat();
  const used = quota.cost_used + quota.held;
  const share = quota.quota ? Math.min(1, used / quota.quota) : quota.quota === 0 ? 1 : 0;
  const colour = share >= 1 ? "red" : share >= 0.8 ? "orange" : "pine";
  const shown = `${format.money(quota.cost_used)} / ${quota.quota == null ? t("unlimited") : format.money(quota.quota)}`;
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={550}>
          {name}
        </Text>
        <Text size="sm">
          <Money dollars={quota.cost_used} /> / {quota.quota == null ? t("unlimited") : <Money dollars={quota.quota} />}
        </Text>
      </Group>
      <Progress value={share * 100} color={colour} size="md" aria-label={`${name}: ${shown}`} />
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
