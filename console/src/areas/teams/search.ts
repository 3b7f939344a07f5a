import { oneOf, sortOf, text } from "@/shell/search";

/** TeamSearch is the state of the list that its address holds. */
export interface TeamSearch {
  q?: string;
  sort?: string;
}

/** teamSearch reads it. */
export function teamSearch(search: Record<string, unknown>): TeamSearch {
  return { q: text(search.q), sort: sortOf(["name", "created_at"], search.sort) };
}

export const tabs = ["members", "rights", "usage"] as const;
export type Tab = (typeof tabs)[number];

/** teamTab reads which part of a team's page is shown. */
export function teamTab(search: Record<string, unknown>): { tab?: Tab } {
  return { tab: oneOf(tabs, search.tab) };
}
