import { createFileRoute } from "@tanstack/react-router";
import { AuditPage } from "@/areas/audit/audit";
import { text } from "@/shell/search";

export const Route = createFileRoute("/_app/admin/audit")({
  validateSearch: (search: Record<string, unknown>): { action?: string; target?: string } => ({
    action: text(search.action),
    target: text(search.target),
  }),
  component: AuditPage,
});
