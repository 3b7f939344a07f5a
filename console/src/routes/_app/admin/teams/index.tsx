import { createFileRoute } from "@tanstack/react-router";
import { teamSearch } from "@/areas/teams/search";
import { TeamsPage } from "@/areas/teams/teams";

export const Route = createFileRoute("/_app/admin/teams/")({ validateSearch: teamSearch, component: TeamsPage });
