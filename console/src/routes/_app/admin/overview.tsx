import { createFileRoute } from "@tanstack/react-router";
import { OverviewPage } from "@/areas/overview/overview";
import { overviewSearch } from "@/areas/overview/search";

export const Route = createFileRoute("/_app/admin/overview")({ validateSearch: overviewSearch, component: OverviewPage });
