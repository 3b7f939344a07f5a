import { Button, Group, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { keyColumns } from "@/areas/keys/columns";
import { KeyForm } from "@/areas/keys/key-form";
import { KeyMenu } from "@/areas/keys/key-menu";
import { overlap } from "@/areas/keys/overlap";
import { UseKey } from "@/areas/keys/use-key";
import { DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { SecretDialog } from "@/ui/secret";

const stale = ["/admin/user-keys", "/user/keys"];

/** UserKeys are a user's keys, as an admin hands them out and takes them back. */
export function UserKeys({ id }: { id: number }) {
  const { t } = useTranslation("keys");
  const { t: users } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const [opened, form] = useDisclosure();
  const [secret, setSecret] = useState<string | null>(null);
  const [sort, setSort] = useState<string | undefined>("-created_at");
  const list = useRows("/admin/user-keys/query", { user_id: { eq: id }, sort });
  const generate = useAction("/admin/user-keys/generate", { stale, quiet: true });
  const enable = useAction("/admin/user-keys/update-enabled", { stale, done: t("changed") }).mutate;
  const rotate = useAction("/admin/user-keys/rotate", { stale }).mutate;
  const remove = useAction("/admin/user-keys/delete", { stale, done: t("deleted") }).mutate;

  const columns = useMemo(
    () =>
      keyColumns(
        t,
        (row) => (
          <KeyMenu
            row={row}
            setEnabled={(enabled) => enable({ id: row.id, enabled })}
            rotate={() => rotate({ id: row.id, overlap_secs: overlap }, { onSuccess: ({ api_key }) => setSecret(api_key) })}
            remove={() => remove({ id: row.id })}
          />
        ),
        common("actions"),
      ),
    [t, common, enable, rotate, remove],
  );
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={form.open}>
      {t("create")}
    </Button>
  );
  const empty = (
    <Empty icon={IconKey} title={users("keyEmptyTitle")}>
      {users("keyEmptyBody")}
    </Empty>
  );
  return (
    <Stack gap="sm">
      <Group justify="flex-end">{create}</Group>
      <DataTable
        label={users("tabs.keys")}
        columns={columns}
        list={list}
        rowId={(key) => String(key.id)}
        sort={sort}
        onSort={setSort}
        empty={empty}
      />
      <KeyForm
        opened={opened}
        onClose={form.close}
        generate={async (draft) => setSecret((await generate.mutateAsync({ user_id: id, ...draft })).api_key)}
      />
      <SecretDialog title={t("created")} label={t("secret")} secret={secret} onClose={() => setSecret(null)}>
        {secret !== null && <UseKey secret={secret} />}
      </SecretDialog>
    </Stack>
  );
}
