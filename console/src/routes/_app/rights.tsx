import { createFileRoute } from "@tanstack/react-router";
import { RightsPage } from "@/areas/rights/rights";

export const Route = createFileRoute("/_app/rights")({ component: RightsPage });
