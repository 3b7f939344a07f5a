import { createFileRoute } from "@tanstack/react-router";
import { systemSearch } from "@/areas/system/search";
import { SystemPage } from "@/areas/system/system";

export const Route = createFileRoute("/_app/admin/system")({ validateSearch: systemSearch, component: SystemPage });
