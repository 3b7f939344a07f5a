import { PasswordInput, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import type { User } from "@/api/types";
import { FormDrawer } from "@/ui/form-drawer";
import { useMayChange, usersStale } from "./actions";

/** What the form is open for: a user, a new one, or nothing (closed). */
export type Editing = User | "new" | null;

function valuesOf(editing: Editing) {
  const user = editing === "new" || editing === null ? null : editing;
  return {
    name: user?.name ?? "",
    email: user?.email ?? "",
    password: "",
    enabled: user?.enabled ?? true,
    is_admin: user?.is_admin ?? false,
  };
}

/** UserForm makes or changes a user; only what was changed is sent. */
export function UserForm({ editing, onClose }: { editing: Editing; onClose: () => void }) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const mayChange = useMayChange();
  const form = useForm({ initialValues: valuesOf(null) });
  const write = useAction("/admin/users/upsert", { stale: usersStale, done: t("saved"), quiet: true });

  const isNew = editing === "new";
  const own = editing !== null && !isNew && !mayChange(editing);
  const send = (values: ReturnType<typeof valuesOf>) => {
    const { name, email, password, enabled, is_admin } = values;
    const common = { name, email: email || null, ...(password && { password }), ...(own ? {} : { enabled, is_admin }) };
    return write.mutateAsync(editing === "new" || editing === null ? common : { id: editing.id, ...common });
  };
  return (
    <FormDrawer
      title={isNew ? t("createTitle") : t("editTitle", { name: editing?.name ?? "" })}
      opened={editing !== null}
      onClose={onClose}
      form={form}
      begin={() => valuesOf(editing)}
      submit={isNew ? t("create") : common("save")}
      onSubmit={send}
    >
      <TextInput label={t("name")} required autoComplete="off" data-autofocus {...form.getInputProps("name")} />
      <TextInput label={t("email")} type="email" autoComplete="off" {...form.getInputProps("email")} />
      <PasswordInput
        label={t("password")}
        description={isNew ? t("passwordNew") : t("passwordKeep")}
        autoComplete="new-password"
        {...form.getInputProps("password")}
      />
      {!own && (
        <>
          <Switch label={t("active")} description={t("activeHint")} {...form.getInputProps("enabled", { type: "checkbox" })} />
          <Switch label={t("admin")} description={t("adminHint")} {...form.getInputProps("is_admin", { type: "checkbox" })} />
        </>
      )}
    </FormDrawer>
  );
}
