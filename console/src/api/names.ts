import { useCallback, useMemo } from "react";
import { useRows } from "./rows";

/** useUserNames names users by id, for administrators; "#7" for who is gone. */
export function useUserNames(enabled = true): (id: number) => string {
  const { rows } = useRows("/admin/users/query", {}, { pageSize: 1000, all: true, enabled });
  const names = useMemo(() => new Map(rows.map((u) => [u.id, u.name])), [rows]);
  return useCallback((id: number) => names.get(id) ?? `#${id}`, [names]);
}

/** useProviderNames names providers by id, for administrators. */
export function useProviderNames(enabled = true): (id: number) => string {
  const { rows } = useRows("/admin/providers/query", {}, { pageSize: 1000, enabled });
  const names = useMemo(() => new Map(rows.map((p) => [p.id, p.name])), [rows]);
  return useCallback((id: number) => names.get(id) ?? `#${id}`, [names]);
}

/** useTeamNames names teams by id, for administrators. */
export function useTeamNames(enabled = true): (id: number) => string {
  const { rows } = useRows("/admin/teams/query", {}, { pageSize: 1000, all: true, enabled });
  const names = useMemo(() => new Map(rows.map((x) => [x.id, x.name])), [rows]);
  return useCallback((id: number) => names.get(id) ?? `#${id}`, [names]);
}
