import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { FormDrawer } from "@/ui/form-drawer";
import { type Owner, rightsStale } from "./owner";
import { chosen, draftOf, incomplete, OwnerFields } from "./owner-fields";

/** What the form is open for: a permission, a new one, or nothing (closed). */
export type PermissionEditing = { id: number; provider_id: number | null; model_pattern: string } | "new" | null;

/** The operations on permissions: of all users, of one of them on their page, and of teams. */
export const permissionPaths = {
  all: {
    query: "/admin/permissions/query",
    upsert: "/admin/permissions/upsert",
    remove: "/admin/permissions/delete",
  },
  user: {
    query: "/admin/user-permissions/query",
    upsert: "/admin/user-permissions/upsert",
    remove: "/admin/user-permissions/delete",
  },
  team: {
    query: "/admin/teams/permissions/query",
    upsert: "/admin/teams/permissions/upsert",
    remove: "/admin/teams/permissions/delete",
  },
} as const;

function valuesOf(editing: PermissionEditing, owner?: Owner) {
  const have = editing === "new" ? null : editing;
  return {
    ...draftOf(owner),
    provider_id: have?.provider_id ? String(have.provider_id) : null,
    model_pattern: have?.model_pattern ?? "*",
  };
}

interface FormProps {
  /** Whose it is; asked for where nobody is named. */
  owner?: Owner;
  editing: PermissionEditing;
  close: () => void;
}

/** PermissionForm lets a user, or the members of a team, call models. */
export function PermissionForm({ owner, editing, close }: FormProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const providers = useRows("/admin/providers/query", {}, { enabled: editing !== null });
  const form = useForm({
    initialValues: valuesOf(null),
    validate: (values) => (editing === "new" ? incomplete(values, t("chooseFirst")) : {}),
  });
  const stale = { stale: [...rightsStale, "/user/models"], done: t("saved"), quiet: true };
  const ofUser = useAction(owner ? permissionPaths.user.upsert : permissionPaths.all.upsert, stale);
  const ofTeam = useAction(permissionPaths.team.upsert, stale);
  const send = (values: typeof form.values) => {
    const to = chosen(values);
    const right = {
      model_pattern: values.model_pattern,
      provider_id: values.provider_id ? Number(values.provider_id) : null,
      ...(editing !== "new" && editing !== null && { id: editing.id }),
    };
    if (to.scope === "team") return ofTeam.mutateAsync({ team_id: to.id, ...right });
    return ofUser.mutateAsync({ user_id: to.id, ...right });
  };
  const isNew = editing === "new";
  return (
    <FormDrawer
      title={isNew ? t("permissionTitle") : t("permissionEdit")}
      opened={editing !== null}
      onClose={close}
      form={form}
      begin={() => valuesOf(editing, owner)}
      submit={isNew ? common("create") : common("save")}
      onSubmit={send}
    >
      {isNew && !owner && <OwnerFields form={form} scopes={["user", "team"]} />}
      <Select
        label={t("provider")}
        placeholder={t("everyProvider")}
        data={providers.rows.map((p) => ({ value: String(p.id), label: p.name }))}
        clearable
        {...form.getInputProps("provider_id")}
      />
      <TextInput label={t("pattern")} description={t("patternHint")} required {...form.getInputProps("model_pattern")} />
    </FormDrawer>
  );
}
