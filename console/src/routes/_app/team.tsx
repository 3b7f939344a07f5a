import { createFileRoute } from "@tanstack/react-router";
import { useMe } from "@/api/session";
import { teamTab } from "@/areas/team/search";
import { TeamPage } from "@/areas/team/team";
import { ForbiddenPage } from "@/shell/error-pages";
import { leads } from "@/shell/nav";

/** For admins of a team; also when the role is taken away while the page is open. */
export const Route = createFileRoute("/_app/team")({
  validateSearch: teamTab,
  component: function Team() {
    return leads(useMe()) ? <TeamPage /> : <ForbiddenPage />;
  },
});
