import { oneOf } from "@/shell/search";

export const tabs = ["permissions", "budgets", "limits"] as const;
export const scopes = ["user", "team", "key", "instance", "service"] as const;

/** GrantSearch is what the address of the page holds. */
export interface GrantSearch {
  tab?: (typeof tabs)[number];
  scope?: (typeof scopes)[number];
}

/** grantSearch reads it. */
export function grantSearch(search: Record<string, unknown>): GrantSearch {
  return { tab: oneOf(tabs, search.tab), scope: oneOf(scopes, search.scope) };
}
