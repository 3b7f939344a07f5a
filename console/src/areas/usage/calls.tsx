import { SimpleGrid } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Answer } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { Stat } from "@/ui/stat";

/** Calls tells how one's own calls of the last 30 days went: how many failed, and how long they took. */
export function Calls() {
  const { t } = useTranslation("usage");
  const format = useFormat();
  const { data, isPending, error } = api.useQuery("post", "/user/dashboard/overview", { body: { range: "30d" } });
  if (error) return null; // the figures below tell that they cannot be read
  const total = (data as Answer<"/user/dashboard/overview"> | undefined)?.total;
  const failed = (total?.failed ?? 0) + (total?.refused ?? 0);
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }}>
      <Stat
        label={t("errors30")}
        value={format.percent(failed / Math.max(1, total?.requests ?? 0))}
        hint={t("errorsHint", { failed: format.number(failed), all: format.number(total?.requests ?? 0) })}
        pending={isPending}
      />
      <Stat
        label={t("latency30")}
        value={total?.requests ? format.duration(total.latency_p50_ms) : "–"}
        hint={
          total?.requests
            ? t("latencyHint", { p95: format.duration(total.latency_p95_ms), first: format.duration(total.first_token_p50_ms) })
            : undefined
        }
        pending={isPending}
      />
    </SimpleGrid>
  );
}
