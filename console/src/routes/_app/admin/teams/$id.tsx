import { createFileRoute } from "@tanstack/react-router";
import { teamTab } from "@/areas/teams/search";
import { TeamPage } from "@/areas/teams/team";

export const Route = createFileRoute("/_app/admin/teams/$id")({ validateSearch: teamTab, component: TeamPage });
