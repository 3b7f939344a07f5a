import { createFileRoute } from "@tanstack/react-router";
import { RequestsPage } from "@/areas/requests/requests";
import { requestSearch } from "@/areas/requests/search";

export const Route = createFileRoute("/_app/requests/")({
  validateSearch: requestSearch,
  component: () => <RequestsPage scope="user" />,
});
