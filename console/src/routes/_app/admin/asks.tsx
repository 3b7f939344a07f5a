import { createFileRoute } from "@tanstack/react-router";
import { AsksPage } from "@/areas/asks/asks";

export const Route = createFileRoute("/_app/admin/asks")({ component: () => <AsksPage scope="admin" /> });
