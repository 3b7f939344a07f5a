import { createFileRoute } from "@tanstack/react-router";
import { ConfigPage } from "@/areas/config/config";
import { configTab } from "@/areas/config/search";

export const Route = createFileRoute("/_app/admin/config/")({ validateSearch: configTab, component: ConfigPage });
