import { createFileRoute } from "@tanstack/react-router";
import { AlarmsPage } from "@/areas/alarms/alarms";

export const Route = createFileRoute("/_app/admin/alarms")({ component: AlarmsPage });
