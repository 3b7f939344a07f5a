import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { FormDrawer } from "@/ui/form-drawer";
import { type Team, teamsStale } from "./actions";

/** What the form is open for: a team, a new one, or nothing (closed). */
export type Editing = Team | "new" | null;

/** TeamForm makes or renames a team; made is told the number of a new one. */
export function TeamForm({ editing, onClose, made }: { editing: Editing; onClose: () => void; made?: (id: number) => void }) {
  const { t } = useTranslation("teams");
  const { t: common } = useTranslation("common");
  const form = useForm({ initialValues: { name: "" } });
  const write = useAction("/admin/teams/upsert", { stale: teamsStale, done: t("saved"), quiet: true });
  const isNew = editing === "new";
  const send = async ({ name }: { name: string }) => {
    if (editing !== "new" && editing !== null) return write.mutateAsync({ id: editing.id, name });
    const { id } = await write.mutateAsync({ name });
    form.resetDirty(); // the page is left on purpose
    made?.(id);
  };
  return (
    <FormDrawer
      title={isNew ? t("createTitle") : t("renameTitle", { name: editing?.name ?? "" })}
      opened={editing !== null}
      onClose={onClose}
      form={form}
      begin={() => ({ name: editing === "new" || editing === null ? "" : editing.name })}
      submit={isNew ? t("create") : common("save")}
      onSubmit={send}
    >
      <TextInput
        label={t("name")}
        description={t("nameHint")}
        required
        autoComplete="off"
        data-autofocus
        {...form.getInputProps("name")}
      />
    </FormDrawer>
  );
}
