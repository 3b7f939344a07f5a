import { oneOf } from "@/shell/search";

export const ranges = ["1h", "6h", "24h", "7d", "30d", "90d"] as const;
export type Range = (typeof ranges)[number];

/** overviewSearch reads what the address says of the overview. */
export function overviewSearch(search: Record<string, unknown>): { range?: Range } {
  return { range: oneOf(ranges, search.range) };
}
