import { oneOf } from "@/shell/search";

export const tabs = ["members", "keys", "invitations", "usage"] as const;
export type Tab = (typeof tabs)[number];

/** teamTab reads which part of the team's page is shown. */
export function teamTab(search: Record<string, unknown>): { tab?: Tab } {
  return { tab: oneOf(tabs, search.tab) };
}
