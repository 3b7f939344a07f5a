import { useState } from "react";
import { api } from "@/api/client";
import type { UsageSum } from "@/api/types";

/** useTeamSpend is what each team used in the last 30 days, by the team's number. */
export function useTeamSpend(): (team: number) => UsageSum | undefined {
  const [since] = useState(() => new Date(Date.now() - 30 * 86_400_000).toISOString());
  const { data } = api.useQuery("post", "/admin/usages/summary", { body: { group_by: "team", since } });
  return (team) => ((data ?? []) as UsageSum[]).find(({ group }) => group === String(team));
}
