import { createFileRoute } from "@tanstack/react-router";
import { RequestPage } from "@/areas/requests/request";

export const Route = createFileRoute("/_app/requests/$id")({ component: () => <RequestPage scope="user" /> });
