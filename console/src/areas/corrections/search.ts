import { oneOf } from "@/shell/search";

export const tabs = ["adjustments", "reratings"] as const;
export type Tab = (typeof tabs)[number];

/** correctionTab reads which list is shown. */
export function correctionTab(search: Record<string, unknown>): { tab?: Tab } {
  return { tab: oneOf(tabs, search.tab) };
}
