import { oneOf, text } from "@/shell/search";

export const tabs = ["process", "about", "danger"] as const;
export type Tab = (typeof tabs)[number];

/** SystemSearch is the state of the page that its address holds. */
export interface SystemSearch {
  tab?: Tab;
  q?: string;
  set?: "only";
}

/** systemSearch reads it. */
export function systemSearch(search: Record<string, unknown>): SystemSearch {
  return { tab: oneOf(tabs, search.tab), q: text(search.q), set: oneOf(["only"] as const, search.set) };
}
