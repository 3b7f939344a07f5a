import { createFileRoute } from "@tanstack/react-router";
import { SignInPage } from "@/areas/session/sign-in";
import { text } from "@/shell/search";

export const Route = createFileRoute("/sign-in")({
  validateSearch: (search): { next?: string } => ({ next: text(search.next) }),
  component: SignInPage,
});
