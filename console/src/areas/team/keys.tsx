import { Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Key } from "@/api/types";
import { keyColumns } from "@/areas/keys/columns";
import { KeyMenu } from "@/areas/keys/key-menu";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Status } from "@/ui/status";
import { teamStale } from "./members";
import { useMemberNames } from "./names";

/** TeamKeys lists the keys of plain members: those of the team, and their own. */
export function TeamKeys() {
  const { t } = useTranslation("team");
  const { t: keys } = useTranslation("keys");
  const { t: common } = useTranslation("common");
  const [sort, setSort] = useState<string | undefined>("-created_at");
  const list = useRows("/user/team/keys/query", { sort });
  const nameOf = useMemberNames();
  const enable = useAction("/user/team/keys/update-enabled", { stale: teamStale, done: keys("changed") }).mutate;
  const remove = useAction("/user/team/keys/delete", { stale: teamStale, done: keys("deleted") }).mutate;
  const columns = useMemo((): Column<Key>[] => {
    const menu = (row: Key) => (
      <KeyMenu
        row={row}
        setEnabled={row.enabled || row.team_id !== null ? (enabled) => enable({ id: row.id, enabled }) : undefined}
        remove={() => remove({ id: row.id })}
      />
    );
    const [label, ...rest] = keyColumns(keys, menu, common("actions"));
    return [
      ...(label ? [label] : []),
      { id: "owner", header: t("owner"), sort: "user_id", cell: (key) => nameOf(key.user_id) },
      {
        id: "kind",
        header: t("kind"),
        from: "wide",
        cell: (key) => <Status tone={key.team_id ? "info" : "quiet"}>{key.team_id ? t("ofTeam") : t("ofOwner")}</Status>,
      },
      ...rest,
    ];
  }, [t, keys, common, nameOf, enable, remove]);
  return (
    <Stack gap="sm">
      <Text c="dimmed" size="sm">
        {t("keysLead")}
      </Text>
      <DataTable
        label={t("tabs.keys")}
        columns={columns}
        list={list}
        rowId={(key) => String(key.id)}
        sort={sort}
        onSort={setSort}
        empty={
          <Empty icon={IconKey} title={t("keysEmptyTitle")}>
            {t("keysEmptyBody")}
          </Empty>
        }
      />
    </Stack>
  );
}
