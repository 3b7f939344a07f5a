import { Anchor, Loader, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { RequestRow } from "@/api/types";
import { useFormat } from "@/i18n/format";
import type { Column } from "@/ui/data-table";
import { Money } from "@/ui/money";
import { HttpStatus } from "@/ui/status";
import { Time } from "@/ui/time";
import type { Scope } from "./search";

/** tokensOf is all tokens of a request. */
export function tokensOf(r: RequestRow): number {
  return r.input_tokens + r.output_tokens + r.cache_read_input_tokens + r.cache_creation_input_tokens;
}

/** useRequestColumns are the columns of a list of requests. */
export function useRequestColumns(scope: Scope, nameOf: (id: number) => string): Column<RequestRow>[] {
  const { t } = useTranslation("requests");
  const format = useFormat();
  return useMemo((): Column<RequestRow>[] => {
    const to = scope === "admin" ? "/admin/requests/$id" : "/requests/$id";
    const ended = (r: RequestRow) => r.status !== 0;
    return [
      {
        id: "time",
        header: t("time"),
        cell: (r) => (
          <Anchor size="sm" renderRoot={(props) => <Link to={to} params={{ id: r.id }} {...props} />}>
            <Time at={r.started_at} />
          </Anchor>
        ),
      },
      ...(scope === "admin"
        ? [
            {
              id: "user",
              header: t("user"),
              from: "wide" as const,
              cell: (r: RequestRow) => (r.user_id ? nameOf(r.user_id) : r.service ? t("service") : "–"),
            },
          ]
        : []),
      {
        id: "model",
        header: t("model"),
        cell: (r) => (
          <Text size="sm" lineClamp={1} title={r.model}>
            {r.model || "–"}
          </Text>
        ),
      },
      {
        id: "status",
        header: t("status"),
        cell: (r) =>
          ended(r) ? (
            <HttpStatus code={r.status} broken={r.error_class} />
          ) : (
            <Loader type="dots" size="xs" aria-label={t("running")} />
          ),
      },
      { id: "tokens", header: t("tokens"), align: "end", from: "wide", cell: (r) => format.tokens(tokensOf(r)) },
      {
        id: "first",
        header: t("firstToken"),
        align: "end",
        from: "wider",
        cell: (r) => (r.first_token_ms > 0 ? format.duration(r.first_token_ms) : "–"),
      },
      {
        id: "latency",
        header: t("latency"),
        align: "end",
        from: "wide",
        cell: (r) => (ended(r) ? format.duration(r.latency_ms) : "–"),
      },
      { id: "cost", header: t("cost"), align: "end", cell: (r) => <Money dollars={r.cost} /> },
    ];
  }, [scope, nameOf, t, format]);
}
