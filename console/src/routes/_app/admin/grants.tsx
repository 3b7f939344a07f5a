import { createFileRoute } from "@tanstack/react-router";
import { GrantsPage } from "@/areas/grants/grants";
import { grantSearch } from "@/areas/grants/search";

export const Route = createFileRoute("/_app/admin/grants")({ validateSearch: grantSearch, component: GrantsPage });
