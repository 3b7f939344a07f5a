import type { Quota, Schema } from "@/api/types";

export type RateLimit = Schema<"RateLimit">;

/** Owner is whose a budget or a limit is; the whole gateway and its service have no id. */
export type Owner = { scope: "user" | "team" | "key"; id: number } | { scope: "instance" | "service"; id?: undefined };

/** What changes of rights make old. */
export const rightsStale = [
  "/admin/users",
  "/admin/user-",
  "/admin/teams",
  "/admin/permissions",
  "/admin/quotas",
  "/admin/rate-limits",
  "/user/me",
  "/user/quota",
];

/** ownedBy names an owner to the API. */
export function ownedBy(owner: Owner) {
  switch (owner.scope) {
    case "user":
      return { user_id: owner.id };
    case "team":
      return { team_id: owner.id };
    case "key":
      return { key_id: owner.id };
    default:
      return { scope: owner.scope };
  }
}

/** whose asks for what belongs to one owner. */
export function whose(owner: Owner) {
  switch (owner.scope) {
    case "user":
      return { user_id: { eq: owner.id } };
    case "team":
      return { team_id: { eq: owner.id } };
    case "key":
      return { key_id: { eq: owner.id } };
    default:
      return { scope: { eq: owner.scope } };
  }
}

/** ownerOf is whose a row is. */
export function ownerOf(row: Pick<Quota | RateLimit, "scope" | "user_id" | "team_id" | "key_id">): Owner {
  switch (row.scope) {
    case "user":
      return { scope: row.scope, id: row.user_id };
    case "team":
      return { scope: row.scope, id: row.team_id };
    case "key":
      return { scope: row.scope, id: row.key_id };
    default:
      return { scope: row.scope };
  }
}

/** idOf tells budgets apart, which have no number of their own. */
export function idOf(quota: Quota): string {
  return `${quota.scope} ${ownerOf(quota).id ?? ""} ${quota.window}`;
}
