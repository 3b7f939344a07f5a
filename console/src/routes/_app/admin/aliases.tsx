import { createFileRoute } from "@tanstack/react-router";
import { AliasesPage } from "@/areas/aliases/aliases";

export const Route = createFileRoute("/_app/admin/aliases")({ component: AliasesPage });
