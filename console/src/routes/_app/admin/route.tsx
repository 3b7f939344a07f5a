import { createFileRoute, Outlet } from "@tanstack/react-router";
import { useMe } from "@/api/session";
import { ForbiddenPage } from "@/shell/error-pages";

/** Everything for administrators; also when the role is taken away while the page is open. */
export const Route = createFileRoute("/_app/admin")({
  component: function Administration() {
    return useMe().is_admin ? <Outlet /> : <ForbiddenPage />;
  },
});
