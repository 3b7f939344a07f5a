import { PasswordInput, Select, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import type { Schema } from "@/api/types";
import { FormDrawer } from "@/ui/form-drawer";

export type Provider = Schema<"Provider">;
/** What the form is open for: a provider, a new one, or nothing (closed). */
export type Editing = Provider | "new" | null;

export const providersStale = ["/admin/providers", "/admin/credential", "/admin/models", "/user/models"];

const kinds = ["openai", "anthropic", "gemini", "openai-compatible"];

function valuesOf(editing: Editing) {
  const provider = editing === "new" || editing === null ? null : editing;
  return {
    name: provider?.name ?? "",
    kind: provider?.kind ?? "openai",
    base_url: provider?.base_url ?? "",
    enabled: provider?.enabled ?? true,
    api_key: "",
  };
}

/** ProviderForm makes or changes a provider. */
export function ProviderForm({ editing, onClose }: { editing: Editing; onClose: () => void }) {
  const { t } = useTranslation("providers");
  const { t: common } = useTranslation("common");
  const form = useForm({ initialValues: valuesOf(null) });
  const write = useAction("/admin/providers/upsert", { stale: providersStale, done: t("saved"), quiet: true });
  const isNew = editing === "new";
  const send = ({ name, kind, base_url, enabled, api_key }: ReturnType<typeof valuesOf>) => {
    if (editing === "new" || editing === null)
      return write.mutateAsync({
        name,
        kind,
        enabled,
        base_url: base_url || null,
        ...(api_key && { credentials: [{ label: "default", api_key }] }),
      });
    const moved = base_url !== editing.base_url;
    return write.mutateAsync({ id: editing.id, name, enabled, ...(moved && { base_url: base_url || null, drop_secrets: true }) });
  };
  return (
    <FormDrawer
      title={isNew ? t("createTitle") : t("editTitle", { name: editing?.name ?? "" })}
      opened={editing !== null}
      onClose={onClose}
      form={form}
      begin={() => valuesOf(editing)}
      submit={isNew ? common("create") : common("save")}
      onSubmit={send}
    >
      <TextInput label={t("name")} description={t("nameHint")} required data-autofocus {...form.getInputProps("name")} />
      <Select
        label={t("kind")}
        data={isNew || kinds.includes(form.values.kind) ? kinds : [...kinds, form.values.kind]}
        disabled={!isNew}
        allowDeselect={false}
        {...form.getInputProps("kind")}
      />
      <TextInput label={t("baseUrl")} description={t("baseUrlHint")} type="url" {...form.getInputProps("base_url")} />
      {isNew && (
        <PasswordInput label={t("apiKey")} description={t("apiKeyHint")} autoComplete="off" {...form.getInputProps("api_key")} />
      )}
      <Switch label={t("active")} description={t("activeHint")} {...form.getInputProps("enabled", { type: "checkbox" })} />
    </FormDrawer>
  );
}
