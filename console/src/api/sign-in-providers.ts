import { useWhole } from "./rows";
import type { Row } from "./types";

export type SignInProvider = Row<"/admin/sso-providers/query">;

/** useSignInProviders are all there are, of the configuration file too. */
export function useSignInProviders(enabled = true) {
  return useWhole("/admin/sso-providers/query", {}, { enabled });
}
