import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useProviderNames } from "@/api/names";
import { useRows } from "@/api/rows";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";
import { Nothing, SmallTable } from "@/ui/small-table";
import { rightsStale } from "./owner";
import { type PermissionEditing, PermissionForm, permissionPaths } from "./permission-form";
import { useRemoval } from "./use-removal";

/** Inherited is a right that comes from elsewhere and is changed there. */
export interface Inherited {
  key: string;
  provider_id: number | null;
  model_pattern: string;
  from: ReactNode;
}

interface PermissionsProps {
  owner: { scope: "user" | "team"; id: number };
  /** What the owner may besides, shown first. */
  inherited?: Inherited[];
  /** What it means to have none. */
  none: string;
}

/** Permissions are the models that a user, or the members of a team, may call. */
export function Permissions({ owner, inherited, none }: PermissionsProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const [editing, setEditing] = useState<PermissionEditing>(null);
  const paths = permissionPaths[owner.scope];
  const list = useRows(paths.query, owner.scope === "team" ? { team_id: { eq: owner.id } } : { user_id: { eq: owner.id } });
  const remove = useAction(paths.remove, { stale: [...rightsStale, "/user/models"], done: t("saved") }).mutate;
  const ask = useRemoval();
  const providerName = useProviderNames();
  const nameOf = (id: number | null) => (id === null ? t("everyProvider") : providerName(id));
  const add = (
    <Button variant="default" size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEditing("new")}>
      {t("addPermission")}
    </Button>
  );
  const others = inherited ?? [];
  return (
    <Card title={t("permissions")} aside={add}>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {!list.isPending && others.length + list.rows.length === 0 ? (
        <Nothing>{none}</Nothing>
      ) : (
        <SmallTable
          heads={[t("provider"), t("pattern"), ...(inherited ? [t("from")] : []), common("actions")]}
          rows={[
            ...others.map((p) => ({ key: p.key, cells: [nameOf(p.provider_id), p.model_pattern, p.from, ""] })),
            ...list.rows.map((p) => ({
              key: String(p.id),
              cells: [
                nameOf(p.provider_id),
                p.model_pattern,
                ...(inherited ? [t("origin.own")] : []),
                <RowMenu
                  key="menu"
                  name={p.model_pattern}
                  items={[
                    { label: common("edit"), run: () => setEditing(p) },
                    { label: t("remove"), run: () => ask(() => remove({ id: p.id })), danger: true },
                  ]}
                />,
              ],
            })),
          ]}
        />
      )}
      <PermissionForm owner={owner} editing={editing} close={() => setEditing(null)} />
    </Card>
  );
}
