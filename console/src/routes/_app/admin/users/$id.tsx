import { createFileRoute } from "@tanstack/react-router";
import { userTab } from "@/areas/users/search";
import { UserPage } from "@/areas/users/user";

export const Route = createFileRoute("/_app/admin/users/$id")({ validateSearch: userTab, component: UserPage });
