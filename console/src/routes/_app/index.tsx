import { createFileRoute } from "@tanstack/react-router";
import { HomePage } from "@/areas/home/home";

export const Route = createFileRoute("/_app/")({ component: HomePage });
