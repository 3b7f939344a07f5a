import { createFileRoute } from "@tanstack/react-router";
import { AsksPage } from "@/areas/asks/asks";

export const Route = createFileRoute("/_app/asks")({ component: () => <AsksPage scope="user" /> });
