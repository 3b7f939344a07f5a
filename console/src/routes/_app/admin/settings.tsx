import { createFileRoute } from "@tanstack/react-router";
import { SettingsPage } from "@/areas/settings/settings";

export const Route = createFileRoute("/_app/admin/settings")({ component: SettingsPage });
