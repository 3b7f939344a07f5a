import { oneOf } from "@/shell/search";

export const tabs = ["change", "history", "places"] as const;
export type Tab = (typeof tabs)[number];

/** configTab reads which part of the page is shown. */
export function configTab(search: Record<string, unknown>): { tab?: Tab } {
  return { tab: oneOf(tabs, search.tab) };
}
