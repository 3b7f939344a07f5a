import { createFileRoute } from "@tanstack/react-router";
import { userSearch } from "@/areas/users/search";
import { UsersPage } from "@/areas/users/users";

export const Route = createFileRoute("/_app/admin/users/")({ validateSearch: userSearch, component: UsersPage });
