import { Select } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useRows } from "@/api/rows";
import type { Owner } from "./owner";

/** OwnerDraft is whose a new right will be, as the form has it. */
export interface OwnerDraft {
  scope: Owner["scope"];
  user_id: string | null;
  team_id: string | null;
  key_id: string | null;
}

/** draftOf fills in an owner that is known, or a user still to be chosen. */
export function draftOf(owner: Owner | undefined): OwnerDraft {
  const id = owner?.id === undefined ? null : String(owner.id);
  return {
    scope: owner?.scope ?? "user",
    user_id: owner?.scope === "user" ? id : null,
    team_id: owner?.scope === "team" ? id : null,
    key_id: owner?.scope === "key" ? id : null,
  };
}

/** chosen is the owner that the form names; the API says what is missing. */
export function chosen({ scope, user_id, team_id, key_id }: OwnerDraft): Owner {
  if (scope === "instance" || scope === "service") return { scope };
  return { scope, id: Number({ user: user_id, team: team_id, key: key_id }[scope]) };
}

/** incomplete says whose it is to be, before it is sent. */
export function incomplete(draft: OwnerDraft, said: string): Partial<Record<keyof OwnerDraft, string>> {
  const owner = chosen(draft);
  return owner.id === 0 ? { [`${owner.scope}_id`]: said } : {};
}

interface FieldsProps<V extends OwnerDraft> {
  form: UseFormReturnType<V>;
  scopes: Owner["scope"][];
}

/** OwnerFields ask whose a right is to be. */
export function OwnerFields<V extends OwnerDraft>({ form, scopes }: FieldsProps<V>) {
  const { t } = useTranslation("grants");
  const { scope } = form.values;
  const users = useRows("/admin/users/query", { sort: "name" }, { pageSize: 1000, all: true, enabled: scope !== "team" });
  const teams = useRows("/admin/teams/query", { sort: "name" }, { pageSize: 1000, all: true, enabled: scope === "team" });
  const keys = useRows("/admin/user-keys/query", {}, { pageSize: 1000, all: true, enabled: scope === "key" });
  const nameOf = (id: number) => users.rows.find((u) => u.id === id)?.name ?? `#${id}`;
  const choices = {
    user: { field: "user_id", data: users.rows.map((u) => ({ value: String(u.id), label: u.name })) },
    team: { field: "team_id", data: teams.rows.map((x) => ({ value: String(x.id), label: x.name })) },
    key: {
      field: "key_id",
      data: keys.rows.map((k) => ({ value: String(k.id), label: `${k.label || k.prefix} …${k.last4} (${nameOf(k.user_id)})` })),
    },
  };
  const choice = scope === "instance" || scope === "service" ? null : choices[scope];
  return (
    <>
      <Select
        label={t("scopeLabel")}
        data={scopes.map((value) => ({ value, label: t(`scope.${value}`) }))}
        allowDeselect={false}
        {...form.getInputProps("scope")}
      />
      {choice && (
        <Select
          key={scope}
          label={t(`scope.${scope}`)}
          placeholder={t("choose")}
          data={choice.data}
          searchable
          limit={50}
          nothingFoundMessage={t("nobody")}
          required
          {...form.getInputProps(choice.field)}
        />
      )}
    </>
  );
}
