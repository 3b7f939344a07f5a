import type { Body } from "@/api/types";
import { oneOf, text } from "@/shell/search";

/** Scope is whose requests are shown: one's own or everybody's. */
export type Scope = "user" | "admin";

/** RequestSearch is the state of the list that its address holds. */
export interface RequestSearch {
  /** The hundreds of the status; broken = began well and broke off. */
  status?: "2" | "4" | "5" | "broken";
  since?: "1h" | "24h" | "7d";
  model?: string;
  tag?: string;
  error?: string;
  user?: string;
  slow?: "1000" | "10000" | "60000";
  live?: "on";
}

/** requestSearch reads it. */
export function requestSearch(search: Record<string, unknown>): RequestSearch {
  return {
    status: oneOf(["2", "4", "5", "broken"] as const, text(search.status)),
    since: oneOf(["1h", "24h", "7d"] as const, search.since),
    model: text(search.model),
    tag: text(search.tag),
    error: text(search.error),
    user: text(search.user),
    slow: oneOf(["1000", "10000", "60000"] as const, text(search.slow)),
    live: oneOf(["on"] as const, search.live),
  };
}

/** What can break off an answer that has begun. */
const breaks = ["upstream", "timeout", "unavailable", "internal", "quota", "forbidden", "unauthenticated"];

const hours = { "1h": 1, "24h": 24, "7d": 168 };

/** filterOf is the search as the API has it. */
export function filterOf(search: RequestSearch, scope: Scope): Body<"/admin/requests/query"> {
  const { status, since, model, tag, error, user, slow } = search;
  // Whole minutes, so that the same search stays the same query while one looks at it.
  const from = since && new Date(Math.floor(Date.now() / 60_000) * 60_000 - hours[since] * 3_600_000).toISOString();
  return {
    ...(status && status !== "broken" && { status_class: { eq: Number(status) } }),
    ...(status === "broken" && { status_class: { eq: 2 }, error_class: { in: breaks } }),
    ...(from && { since: from }),
    ...(model && { model: { eq: model } }),
    ...(tag && { tag }),
    ...(slow && { min_latency_ms: Number(slow) }),
    ...(scope === "admin" && error && { error_text: error }),
    ...(scope === "admin" && user && Number.isSafeInteger(Number(user)) && { user_id: { eq: Number(user) } }),
  };
}
