import { useCallback, useMemo } from "react";
import { useRows } from "@/api/rows";

/** useMemberNames names members of the team by id; "#7" for who has left. */
export function useMemberNames(): (id: number) => string {
  const { rows } = useRows("/user/team/members/query", {}, { pageSize: 1000, all: true });
  const names = useMemo(() => new Map(rows.map((m) => [m.id, m.name])), [rows]);
  return useCallback((id: number) => names.get(id) ?? `#${id}`, [names]);
}
