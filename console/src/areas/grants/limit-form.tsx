import { NumberInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { FormDrawer } from "@/ui/form-drawer";
import { type Owner, ownerOf, type RateLimit, rightsStale } from "./owner";
import { chosen, draftOf, incomplete, OwnerFields } from "./owner-fields";

/** What the form is open for: a limit, a new one, or nothing (closed). */
export type LimitEditing = RateLimit | "new" | null;

/** The operations on rate limits: of users and teams, and of one user on their page. */
export const limitPaths = {
  all: { query: "/admin/rate-limits/query", upsert: "/admin/rate-limits/upsert", remove: "/admin/rate-limits/delete" },
  user: {
    query: "/admin/user-rate-limits/query",
    upsert: "/admin/user-rate-limits/upsert",
    remove: "/admin/user-rate-limits/delete",
  },
} as const;

/** What a limit bounds, in the order of columns and fields. */
export const bounds = ["rpm", "rpd", "total_tokens", "concurrency"] as const;

function valuesOf(editing: LimitEditing, owner?: Owner) {
  const have = editing === "new" ? null : editing;
  const number = (n: number | null | undefined) => (n ?? "") as number | "";
  return {
    ...draftOf(have ? ownerOf(have) : owner),
    model_pattern: have?.model_pattern ?? "*",
    rpm: number(have?.rpm),
    rpd: number(have?.rpd),
    total_tokens: number(have?.total_tokens),
    concurrency: number(have?.concurrency),
  };
}

interface FormProps {
  /** Whose it is; asked for where nobody is named. */
  owner?: Owner;
  editing: LimitEditing;
  close: () => void;
}

/** LimitForm bounds how fast a user, or all members of a team together, may call. */
export function LimitForm({ owner, editing, close }: FormProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const form = useForm({
    initialValues: valuesOf(null),
    validate: (values) => ({
      ...incomplete(values, t("chooseFirst")),
      ...(bounds.every((name) => values[name] === "") && { rpm: t("limitNothing") }),
    }),
  });
  const paths = owner?.scope === "user" ? limitPaths.user : limitPaths.all;
  const write = useAction(paths.upsert, { stale: rightsStale, done: t("saved"), quiet: true });
  const isNew = editing === "new";
  const send = (values: typeof form.values) => {
    const to = chosen(values);
    const orNull = (n: number | "") => (n === "" ? null : n);
    return write.mutateAsync({
      ...(editing === "new" || editing === null
        ? to.scope === "team"
          ? { team_id: to.id }
          : { user_id: to.id }
        : { id: editing.id }),
      model_pattern: values.model_pattern,
      rpm: orNull(values.rpm),
      rpd: orNull(values.rpd),
      total_tokens: orNull(values.total_tokens),
      concurrency: orNull(values.concurrency),
    });
  };
  return (
    <FormDrawer
      title={isNew ? t("limitTitle") : t("limitEdit")}
      opened={editing !== null}
      onClose={close}
      form={form}
      begin={() => valuesOf(editing, owner)}
      submit={isNew ? common("create") : common("save")}
      onSubmit={send}
    >
      {isNew && !owner && <OwnerFields form={form} scopes={["user", "team"]} />}
      <TextInput label={t("pattern")} description={t("patternHint")} required {...form.getInputProps("model_pattern")} />
      {bounds.map((name) => (
        <NumberInput
          key={name}
          label={t(`bounds.${name}`)}
          description={name === "rpm" ? t("limitHint") : undefined}
          min={0}
          allowDecimal={false}
          {...form.getInputProps(name)}
        />
      ))}
    </FormDrawer>
  );
}
