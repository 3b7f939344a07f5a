import { createFileRoute, Outlet, redirect } from "@tanstack/react-router";
import { Suspense } from "react";
import { statusOf } from "@/api/problem";
import { meQuery } from "@/api/session";
import { Shell } from "@/shell/shell";
import { PageSkeleton } from "@/ui/page";

/** Everything behind the sign-in. */
export const Route = createFileRoute("/_app")({
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.ensureQueryData(meQuery);
    } catch (error) {
      if (statusOf(error) === 401) throw redirect({ to: "/sign-in", search: { next: location.href } });
      throw error;
    }
  },
  component: () => (
    <Shell>
      <Suspense fallback={<PageSkeleton />}>
        <Outlet />
      </Suspense>
    </Shell>
  ),
});
