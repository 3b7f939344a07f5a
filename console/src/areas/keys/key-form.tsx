import { TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useTranslation } from "react-i18next";
import { FormDrawer } from "@/ui/form-drawer";

export interface KeyDraft {
  label: string;
  expires_at: string | null;
  models: string[];
}

interface KeyFormProps {
  opened: boolean;
  onClose: () => void;
  /** Makes the key and keeps the secret of the answer to show it. */
  generate: (draft: KeyDraft) => Promise<unknown>;
}

/** KeyForm asks what a new key is for; for one's own keys and, by an admin, for those of others. */
export function KeyForm({ opened, onClose, generate }: KeyFormProps) {
  const { t } = useTranslation("keys");
  const form = useForm({ initialValues: { label: "", expires_at: "", models: [] as string[] } });
  return (
    <FormDrawer
      title={t("createTitle")}
      opened={opened}
      onClose={onClose}
      form={form}
      submit={t("create")}
      onSubmit={({ label, expires_at, models }) =>
        generate({ label, models, expires_at: expires_at ? new Date(`${expires_at}T23:59:59`).toISOString() : null })
      }
    >
      <TextInput label={t("label")} description={t("labelHint")} data-autofocus {...form.getInputProps("label")} />
      <TextInput type="date" label={t("expires")} description={t("expiresHint")} {...form.getInputProps("expires_at")} />
      <TagsInput label={t("models")} description={t("modelsHint")} {...form.getInputProps("models")} />
    </FormDrawer>
  );
}
