import { createFileRoute } from "@tanstack/react-router";
import { KeysPage } from "@/areas/keys/keys";

export const Route = createFileRoute("/_app/keys")({ component: KeysPage });
