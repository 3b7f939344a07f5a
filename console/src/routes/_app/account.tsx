import { createFileRoute } from "@tanstack/react-router";
import { AccountPage } from "@/areas/account/account";

export const Route = createFileRoute("/_app/account")({ component: AccountPage });
