import { NumberInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import type { Quota } from "@/api/types";
import { FormDrawer } from "@/ui/form-drawer";
import { type Owner, ownedBy, ownerOf, rightsStale } from "./owner";
import { chosen, draftOf, incomplete, OwnerFields } from "./owner-fields";

/** What the form is open for: a budget, a new one, or nothing (closed). */
export type QuotaEditing = Quota | "new" | null;

/** The operations on budgets: of anybody, and of one user on their page. */
export const quotaPaths = {
  all: { query: "/admin/quotas/query", upsert: "/admin/quotas/upsert", remove: "/admin/quotas/delete" },
  user: { query: "/admin/user-quotas/query", upsert: "/admin/user-quotas/upsert", remove: "/admin/user-quotas/delete" },
} as const;

export const windows = ["total", "day", "week", "month"] as const;

function valuesOf(editing: QuotaEditing, owner?: Owner) {
  const have = editing === "new" ? null : editing;
  return {
    ...draftOf(have ? ownerOf(have) : owner),
    window: (have?.window ?? "month") as Quota["window"],
    quota: (have?.quota ?? "") as number | "",
    cost_used: (have?.cost_used ?? "") as number | "",
    reason: "",
  };
}

interface FormProps {
  /** Whose it is; asked for where nobody is named. */
  owner?: Owner;
  editing: QuotaEditing;
  close: () => void;
}

/** QuotaForm sets a budget and corrects what counts as spent of one. */
export function QuotaForm({ owner, editing, close }: FormProps) {
  const { t } = useTranslation("grants");
  const { t: common } = useTranslation("common");
  const form = useForm({
    initialValues: valuesOf(null),
    validate: (values) => incomplete(values, t("chooseFirst")),
  });
  const paths = owner?.scope === "user" ? quotaPaths.user : quotaPaths.all;
  const write = useAction(paths.upsert, { stale: rightsStale, done: t("saved"), quiet: true });
  const isNew = editing === "new";
  const corrected = !isNew && form.isDirty("cost_used");
  const send = (values: typeof form.values) =>
    write.mutateAsync({
      ...ownedBy(chosen(values)),
      window: values.window,
      quota: values.quota === "" ? null : values.quota,
      ...(corrected && values.cost_used !== "" && { cost_used: values.cost_used, reason: values.reason }),
    });
  return (
    <FormDrawer
      title={isNew ? t("quotaTitle") : t("quotaEdit")}
      opened={editing !== null}
      onClose={close}
      form={form}
      begin={() => valuesOf(editing, owner)}
      submit={common("save")}
      onSubmit={send}
    >
      {isNew && !owner && <OwnerFields form={form} scopes={["user", "team", "key", "instance", "service"]} />}
      <Select
        label={t("windowLabel")}
        description={t("windowHint")}
        data={windows.map((value) => ({ value, label: t(`window.${value}`) }))}
        allowDeselect={false}
        disabled={!isNew}
        {...form.getInputProps("window")}
      />
      <NumberInput
        label={t("amount")}
        description={t("amountHint")}
        min={0}
        decimalScale={9}
        prefix="$"
        data-autofocus
        {...form.getInputProps("quota")}
      />
      {!isNew && (
        <NumberInput
          label={t("spent")}
          description={t("spentHint")}
          decimalScale={9}
          prefix="$"
          {...form.getInputProps("cost_used")}
        />
      )}
      {corrected && <TextInput label={t("reason")} description={t("reasonHint")} {...form.getInputProps("reason")} />}
    </FormDrawer>
  );
}
