import { createFileRoute } from "@tanstack/react-router";
import { LinkPage } from "@/areas/links/link-page";

export const Route = createFileRoute("/setup")({ component: () => <LinkPage purpose="setup" /> });
