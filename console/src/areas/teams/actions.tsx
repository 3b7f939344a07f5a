import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import type { Schema } from "@/api/types";
import { confirm } from "@/ui/confirm";
import type { RowAction } from "@/ui/row-menu";

export type Team = Schema<"Team">;

/** What changes of teams make old: what members may goes with the team. */
export const teamsStale = ["/admin/teams", "/admin/users", "/admin/quotas", "/admin/rate-limits", "/user/me", "/user/models"];

/** useTeamActions is what can be done with one team, asked first where it hurts. */
export function useTeamActions(edit: (team: Team) => void, gone?: () => void): (team: Team) => RowAction[] {
  const { t } = useTranslation("teams");
  const { t: common } = useTranslation("common");
  const remove = useAction("/admin/teams/delete", { stale: teamsStale, done: t("deleted") }).mutate;
  const drop = async ({ id, name, members }: Team) => {
    const question = {
      title: t("deleteTitle", { name }),
      body: t("deleteBody", { count: members }),
      confirm: common("delete"),
      danger: true,
      typed: name,
    };
    if (await confirm(question)) remove({ id }, { onSuccess: gone });
  };
  return (team) => [
    { label: t("rename"), run: () => edit(team) },
    { label: common("delete"), run: () => void drop(team), danger: true },
  ];
}
