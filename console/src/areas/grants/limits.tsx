import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { useFormat } from "@/i18n/format";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";
import { Nothing, SmallTable } from "@/ui/small-table";
import { bounds, type LimitEditing, LimitForm, limitPaths } from "./limit-form";
import { type RateLimit, rightsStale } from "./owner";
import { useRemoval } from "./use-removal";

interface LimitsProps {
  owner: { scope: "user" | "team"; id: number };
  /** Limits of others that bind the owner too, with whose they are. */
  inherited?: { limit: RateLimit; from: ReactNode }[];
}

/** Limits bound how fast a user, or all members of a team together, may call. */
export function Limits({ owner, inherited }: LimitsProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const [editing, setEditing] = useState<LimitEditing>(null);
  const paths = owner.scope === "user" ? limitPaths.user : limitPaths.all;
  const list = useRows(paths.query, owner.scope === "team" ? { team_id: { eq: owner.id } } : { user_id: { eq: owner.id } });
  const remove = useAction(paths.remove, { stale: rightsStale, done: t("saved") }).mutate;
  const ask = useRemoval();
  const numbers = (l: RateLimit) => bounds.map((name) => (l[name] === null ? "–" : format.number(l[name])));
  const add = (
    <Button variant="default" size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEditing("new")}>
      {t("addLimit")}
    </Button>
  );
  const others = inherited ?? [];
  return (
    <Card title={t("limits")} aside={add}>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {!list.isPending && others.length + list.rows.length === 0 ? (
        <Nothing>{owner.scope === "team" ? t("noTeamLimits") : t("noLimits")}</Nothing>
      ) : (
        <SmallTable
          heads={[
            t("pattern"),
            ...bounds.map((name) => t(`bounds.${name}`)),
            ...(inherited ? [t("from")] : []),
            common("actions"),
          ]}
          rows={[
            ...others.map(({ limit, from }) => ({
              key: `${limit.scope} ${limit.id}`,
              cells: [limit.model_pattern, ...numbers(limit), from, ""],
            })),
            ...list.rows.map((l) => ({
              key: String(l.id),
              cells: [
                l.model_pattern,
                ...numbers(l),
                ...(inherited ? [t("origin.own")] : []),
                <RowMenu
                  key="menu"
                  name={l.model_pattern}
                  items={[
                    { label: common("edit"), run: () => setEditing(l) },
                    { label: t("remove"), run: () => ask(() => remove({ id: l.id })), danger: true },
                  ]}
                />,
              ],
            })),
          ]}
        />
      )}
      <LimitForm owner={owner} editing={editing} close={() => setEditing(null)} />
    </Card>
  );
}
