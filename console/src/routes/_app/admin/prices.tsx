import { createFileRoute } from "@tanstack/react-router";
import { PricesPage } from "@/areas/prices/prices";
import { oneOf, text } from "@/shell/search";

export const Route = createFileRoute("/_app/admin/prices")({
  validateSearch: (search: Record<string, unknown>): { q?: string; all?: "yes" } => ({
    q: text(search.q),
    all: oneOf(["yes"] as const, search.all),
  }),
  component: PricesPage,
});
