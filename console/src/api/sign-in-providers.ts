import { api } from "./client";
import type { Rows } from "./rows";
import type { Row } from "./types";

export type SignInProvider = Row<"/admin/sso-providers/query">;

/** useSignInProviders are all there are, of the configuration file too, in one answer. */
export function useSignInProviders(enabled = true): Rows<SignInProvider> {
  const query = api.useQuery("post", "/admin/sso-providers/query", { body: {} }, { enabled });
  return {
    rows: (query.data ?? []) as SignInProvider[],
    isPending: query.isPending,
    isFetching: query.isFetching,
    error: query.error,
    hasMore: false,
    loadMore: () => undefined,
    refetch: () => void query.refetch(),
  };
}
