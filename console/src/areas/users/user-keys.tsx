import { Button, Group, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { KeyEdit } from "@/areas/keys/key-edit";
import { KeyForm } from "@/areas/keys/key-form";
import { UseKey } from "@/areas/keys/use-key";
import { keysStale, useKeys } from "@/areas/keys/use-keys";
import { DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { SecretDialog } from "@/ui/secret";

/** UserKeys are a user's keys, as an admin hands them out and takes them back. */
export function UserKeys({ id }: { id: number }) {
  const { t } = useTranslation("keys");
  const { t: users } = useTranslation("users");
  const [opened, form] = useDisclosure();
  const { list, columns, sort, setSort, secret, setSecret, editing, setEditing } = useKeys(id);
  const generate = useAction("/admin/user-keys/generate", { stale: keysStale, quiet: true });
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
      <KeyEdit row={editing} path="/admin/user-keys/update" stale={keysStale} close={() => setEditing(null)} />
      <SecretDialog title={t("created")} label={t("secret")} secret={secret} onClose={() => setSecret(null)}>
        {secret !== null && <UseKey secret={secret} />}
      </SecretDialog>
    </Stack>
  );
}
