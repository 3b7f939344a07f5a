import { createFileRoute } from "@tanstack/react-router";
import { AccountPage } from "@/areas/account/account";
import { text } from "@/shell/search";

export const Route = createFileRoute("/_app/account")({
  validateSearch: (search: Record<string, unknown>): { error?: string } => ({ error: text(search.error) }),
  component: AccountPage,
});
