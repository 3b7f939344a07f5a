import type { Row } from "@/api/types";
import { Status } from "./status";

const tones = {
  ok: "good",
  unknown: "quiet",
  disabled: "quiet",
  failing: "bad",
  cooling: "warn",
  unreadable: "bad",
  needs_secret: "warn",
} as const;

/** CredentialState is how a credential at a provider fares. */
export function CredentialState({ of: s }: { of: Row<"/admin/credential-statuses/query"> }) {
  return <Status tone={tones[s.state]}>{s.error_class ? `${s.state} (${s.error_class})` : s.state}</Status>;
}
