import { createFileRoute } from "@tanstack/react-router";
import { SignInProvidersPage } from "@/areas/sso/sso";

export const Route = createFileRoute("/_app/admin/sign-in-providers")({ component: SignInProvidersPage });
