import { createFileRoute } from "@tanstack/react-router";
import { ModelsPage } from "@/areas/models/models";
import { text } from "@/shell/search";

export const Route = createFileRoute("/_app/models")({
  validateSearch: (search: Record<string, unknown>): { q?: string } => ({ q: text(search.q) }),
  component: ModelsPage,
});
