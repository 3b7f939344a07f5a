import { oneOf } from "@/shell/search";

export const ranges = ["7", "30", "90", "month", "lastMonth"] as const;
export const ownGroups = ["model", "key", "provider", "tag"] as const;
export const allGroups = ["model", "user", "team", "key", "provider", "tag"] as const;
export type Range = (typeof ranges)[number];
export type Group = (typeof allGroups)[number];

/** UsageSearch is what the address says of a report. */
export interface UsageSearch {
  range?: Range;
  by?: Group;
}

/** usageSearch reads it. */
export function usageSearch(search: Record<string, unknown>): UsageSearch {
  return { range: oneOf(ranges, String(search.range)), by: oneOf(allGroups, search.by) };
}

/** boundsOf are whole UTC days, which the gateway sums quickly. */
export function boundsOf(range: Range, now = new Date()): { since: string; until: string } {
  const day = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const tomorrow = new Date(day + 86_400_000);
  const month = (offset: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1));
  const back = (days: number) => new Date(day - (days - 1) * 86_400_000);
  const [since, until] =
    range === "month" ? [month(0), tomorrow] : range === "lastMonth" ? [month(-1), month(0)] : [back(Number(range)), tomorrow];
  return { since: since.toISOString(), until: until.toISOString() };
}
