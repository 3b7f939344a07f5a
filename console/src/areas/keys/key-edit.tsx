import { Fieldset, NumberInput, Select, SimpleGrid, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import type { Key } from "@/api/types";
import { FormDrawer } from "@/ui/form-drawer";
import { nameOf } from "./columns";

const windows = ["day", "week", "month", "total"] as const;
type Budgets = Record<(typeof windows)[number], number | "">;

const nothing = {
  label: "",
  expires_at: "",
  models: [] as string[],
  ip_allow: [] as string[],
  on_leave: "cancel",
  quotas: { day: "", week: "", month: "", total: "" } as Budgets,
};

/** The day of a moment, as the date field has it: here, not in UTC. */
function dayOf(at: string): string {
  const day = new Date(at);
  return new Date(day.getTime() - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

function valuesOf(key: Key): typeof nothing {
  const quotas = { ...nothing.quotas };
  for (const { window, quota } of key.quotas ?? []) if (quota !== null) quotas[window] = quota;
  return {
    label: key.label,
    expires_at: key.expires_at ? dayOf(key.expires_at) : "",
    models: key.models ?? [],
    ip_allow: key.ip_allow ?? [],
    on_leave: key.on_leave || "cancel",
    quotas,
  };
}

interface EditProps {
  row: Key | null;
  /** The operation that changes it: of one's own keys, or of anybody's. */
  path: "/user/keys/update" | "/admin/user-keys/update";
  stale: string[];
  close: () => void;
}

/** KeyEdit changes a key: what it is called, how long and for what it works, what it may spend. */
export function KeyEdit({ row, path, stale, close }: EditProps) {
  const { t } = useTranslation("keys");
  const { t: common } = useTranslation("common");
  const form = useForm({ initialValues: nothing });
  const write = useAction(path, { stale, done: t("changed"), quiet: true });
  const send = (v: typeof nothing) => {
    if (!row) return Promise.resolve();
    const day = row.expires_at ? dayOf(row.expires_at) : "";
    return write.mutateAsync({
      id: row.id,
      label: v.label,
      models: v.models,
      ip_allow: v.ip_allow,
      on_leave: v.on_leave,
      // A day that was left as it is keeps its hour.
      ...(v.expires_at !== day && { expires_at: v.expires_at ? new Date(`${v.expires_at}T23:59:59`).toISOString() : null }),
      quotas: windows.flatMap((window) => (v.quotas[window] === "" ? [] : [{ window, quota: Number(v.quotas[window]) }])),
    });
  };
  return (
    <FormDrawer
      title={row ? t("editTitle", { label: nameOf(row, t) }) : ""}
      opened={row !== null}
      onClose={close}
      form={form}
      begin={() => (row ? valuesOf(row) : nothing)}
      submit={common("save")}
      onSubmit={send}
    >
      <TextInput label={t("label")} description={t("labelHint")} data-autofocus {...form.getInputProps("label")} />
      <TextInput type="date" label={t("expires")} description={t("expiresHint")} {...form.getInputProps("expires_at")} />
      <TagsInput label={t("models")} description={t("modelsHint")} {...form.getInputProps("models")} />
      <TagsInput label={t("addresses")} description={t("addressesHint")} {...form.getInputProps("ip_allow")} />
      <Select
        label={t("onLeave")}
        description={t("onLeaveHint")}
        allowDeselect={false}
        data={[
          { value: "cancel", label: t("onLeaves.cancel") },
          { value: "drain", label: t("onLeaves.drain") },
        ]}
        {...form.getInputProps("on_leave")}
      />
      <Fieldset legend={t("budget")}>
        <SimpleGrid cols={2}>
          {windows.map((window) => (
            <NumberInput
              key={window}
              label={t(`windows.${window}`)}
              placeholder={t("noBudget")}
              prefix="$ "
              min={0}
              decimalScale={9}
              {...form.getInputProps(`quotas.${window}`)}
            />
          ))}
        </SimpleGrid>
      </Fieldset>
    </FormDrawer>
  );
}
