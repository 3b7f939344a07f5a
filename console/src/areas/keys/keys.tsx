import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { SecretDialog } from "@/ui/secret";
import { KeyEdit } from "./key-edit";
import { KeyForm } from "./key-form";
import { UseKey } from "./use-key";
import { keysStale, useKeys } from "./use-keys";

export function KeysPage() {
  const { t } = useTranslation("keys");
  const [opened, form] = useDisclosure();
  const { list, columns, sort, setSort, secret, setSecret, editing, setEditing } = useKeys();
  const generate = useAction("/user/keys/generate", { stale: keysStale, quiet: true });
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={form.open}>
      {t("create")}
    </Button>
  );
  const empty = (
    <Empty icon={IconKey} title={t("emptyTitle")} action={create}>
      {t("emptyBody")}
    </Empty>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={create}>
      <DataTable
        label={t("title")}
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
        generate={async (draft) => setSecret((await generate.mutateAsync(draft)).api_key)}
      />
      <KeyEdit row={editing} stale={keysStale} close={() => setEditing(null)} />
      <SecretDialog title={t("created")} label={t("secret")} secret={secret} onClose={() => setSecret(null)}>
        {secret !== null && <UseKey secret={secret} />}
      </SecretDialog>
    </Page>
  );
}
