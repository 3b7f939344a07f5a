import { createFileRoute } from "@tanstack/react-router";
import { ProviderPage } from "@/areas/providers/provider";

export const Route = createFileRoute("/_app/admin/providers/$id")({ component: ProviderPage });
