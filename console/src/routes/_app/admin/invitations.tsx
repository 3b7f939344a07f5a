import { createFileRoute } from "@tanstack/react-router";
import { InvitationsPage } from "@/areas/links/invitations";

export const Route = createFileRoute("/_app/admin/invitations")({ component: InvitationsPage });
