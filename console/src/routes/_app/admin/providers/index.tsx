import { createFileRoute } from "@tanstack/react-router";
import { ProvidersPage } from "@/areas/providers/providers";

export const Route = createFileRoute("/_app/admin/providers/")({ component: ProvidersPage });
