import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Key } from "@/api/types";
import { keyColumns } from "./columns";
import { KeyMenu } from "./key-menu";
import { overlap } from "./overlap";

/** What changes of keys make old, whoever makes them. */
export const keysStale = ["/user/keys", "/admin/user-keys"];

const own = {
  query: "/user/keys/query",
  enable: "/user/keys/update-enabled",
  rotate: "/user/keys/rotate",
  remove: "/user/keys/delete",
} as const;
const anybodys = {
  query: "/admin/user-keys/query",
  enable: "/admin/user-keys/update-enabled",
  rotate: "/admin/user-keys/rotate",
  remove: "/admin/user-keys/delete",
} as const;

/** useKeys is a list of keys with what can be done to them: one's own, or those of a user by an admin. */
export function useKeys(user?: number) {
  const { t } = useTranslation("keys");
  const { t: common } = useTranslation("common");
  const paths = user === undefined ? own : anybodys;
  const [secret, setSecret] = useState<string | null>(null);
  const [editing, setEditing] = useState<Key | null>(null);
  const [sort, setSort] = useState<string | undefined>("-created_at");
  const list = useRows(paths.query, { ...(user !== undefined && { user_id: { eq: user } }), sort });
  const enable = useAction(paths.enable, { stale: keysStale, done: t("changed") }).mutate;
  const rotate = useAction(paths.rotate, { stale: keysStale }).mutate;
  const remove = useAction(paths.remove, { stale: keysStale, done: t("deleted") }).mutate;
  const columns = useMemo(
    () =>
      keyColumns(
        t,
        (row) => (
          <KeyMenu
            row={row}
            edit={user === undefined ? () => setEditing(row) : undefined}
            setEnabled={(enabled) => enable({ id: row.id, enabled })}
            rotate={() => rotate({ id: row.id, overlap_secs: overlap }, { onSuccess: ({ api_key }) => setSecret(api_key) })}
            remove={() => remove({ id: row.id })}
          />
        ),
        common("actions"),
      ),
    [t, common, user, enable, rotate, remove],
  );
  return { list, columns, sort, setSort, secret, setSecret, editing, setEditing };
}
