import { createFileRoute } from "@tanstack/react-router";
import { SignInPage } from "@/areas/session/sign-in";
import { text } from "@/shell/search";

export const Route = createFileRoute("/sign-in")({
  validateSearch: (search): { next?: string; error?: string; second_factor?: string } => ({
    next: text(search.next),
    error: text(search.error),
    second_factor: text(search.second_factor),
  }),
  component: SignInPage,
});
