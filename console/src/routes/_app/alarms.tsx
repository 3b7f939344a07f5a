import { createFileRoute } from "@tanstack/react-router";
import { OwnAlarmsPage } from "@/areas/alarms/own";

export const Route = createFileRoute("/_app/alarms")({ component: OwnAlarmsPage });
