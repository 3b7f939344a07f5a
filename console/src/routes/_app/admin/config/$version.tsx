import { createFileRoute } from "@tanstack/react-router";
import { VersionPage } from "@/areas/config/version";

export const Route = createFileRoute("/_app/admin/config/$version")({ component: VersionPage });
