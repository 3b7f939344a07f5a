import { oneOf, sortOf, text } from "@/shell/search";

const columns = ["name", "email", "role", "created_at", "last_login_at"] as const;

/** UserSearch is the state of the list that its address holds. */
export interface UserSearch {
  q?: string;
  state?: "active" | "inactive";
  role?: "user" | "admin";
  sort?: string;
}

/** userSearch reads it. */
export function userSearch(search: Record<string, unknown>): UserSearch {
  return {
    q: text(search.q),
    state: oneOf(["active", "inactive"] as const, search.state),
    role: oneOf(["user", "admin"] as const, search.role),
    sort: sortOf(columns, search.sort),
  };
}

export const tabs = ["overview", "keys", "rights", "security", "usage"] as const;
export type Tab = (typeof tabs)[number];

/** userTab reads which part of a user's page is shown. */
export function userTab(search: Record<string, unknown>): { tab?: Tab } {
  return { tab: oneOf(tabs, search.tab) };
}
