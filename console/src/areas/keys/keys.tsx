import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Page } from "@/ui/page";
import { SecretDialog } from "@/ui/secret";
import { keyColumns } from "./columns";
import { KeyForm } from "./key-form";
import { KeyMenu } from "./key-menu";
import { overlap } from "./overlap";
import { UseKey } from "./use-key";

const stale = ["/user/keys", "/admin/user-keys"];

export function KeysPage() {
  const { t } = useTranslation("keys");
  const { t: common } = useTranslation("common");
  const [opened, form] = useDisclosure();
  const [secret, setSecret] = useState<string | null>(null);
  const [sort, setSort] = useState<string | undefined>("-created_at");
  const list = useRows("/user/keys/query", { sort });
  const generate = useAction("/user/keys/generate", { stale, quiet: true });
  const enable = useAction("/user/keys/update-enabled", { stale, done: t("changed") }).mutate;
  const rotate = useAction("/user/keys/rotate", { stale }).mutate;
  const remove = useAction("/user/keys/delete", { stale, done: t("deleted") }).mutate;

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
      <SecretDialog title={t("created")} label={t("secret")} secret={secret} onClose={() => setSecret(null)}>
        {secret !== null && <UseKey secret={secret} />}
      </SecretDialog>
    </Page>
  );
}
