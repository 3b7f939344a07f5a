import { createFileRoute } from "@tanstack/react-router";
import { NotFoundPage } from "@/shell/error-pages";

export const Route = createFileRoute("/_app/$")({ component: NotFoundPage });
