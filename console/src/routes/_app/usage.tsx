import { createFileRoute } from "@tanstack/react-router";
import { usageSearch } from "@/areas/usage/search";
import { UsagePage } from "@/areas/usage/usage";

export const Route = createFileRoute("/_app/usage")({
  validateSearch: usageSearch,
  component: () => <UsagePage scope="user" />,
});
