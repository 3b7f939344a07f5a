import { NumberInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { FormDrawer } from "@/ui/form-drawer";
import { usersStale } from "./actions";

interface FormProps {
  user: number;
  opened: boolean;
  close: () => void;
}

/** PermissionForm lets a user use more models. */
export function PermissionForm({ user, opened, close }: FormProps) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const providers = useRows("/admin/providers/query", {}, { enabled: opened });
  const form = useForm({ initialValues: { provider_id: null as string | null, model_pattern: "*" } });
  const write = useAction("/admin/user-permissions/upsert", { stale: usersStale, done: t("saved"), quiet: true });
  // biome-ignore lint/correctness/useExhaustiveDependencies: an opened form begins empty
  useEffect(() => {
    if (opened) form.reset();
  }, [opened]);
  return (
    <FormDrawer
      title={t("permissionTitle")}
      opened={opened}
      onClose={close}
      form={form}
      submit={common("create")}
      onSubmit={({ provider_id, model_pattern }) =>
        write.mutateAsync({ user_id: user, model_pattern, provider_id: provider_id ? Number(provider_id) : null })
      }
    >
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

/** QuotaForm sets a user's budget. */
export function QuotaForm({ user, opened, close }: FormProps) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const form = useForm({ initialValues: { window: "month", quota: "" as number | "" } });
  const write = useAction("/admin/user-quotas/upsert", { stale: [...usersStale, "/user/quota"], done: t("saved"), quiet: true });
  // biome-ignore lint/correctness/useExhaustiveDependencies: an opened form begins empty
  useEffect(() => {
    if (opened) form.reset();
  }, [opened]);
  return (
    <FormDrawer
      title={t("quotaTitle")}
      opened={opened}
      onClose={close}
      form={form}
      submit={common("save")}
      onSubmit={({ window, quota }) =>
        write.mutateAsync({ user_id: user, window: window as "month", quota: quota === "" ? null : quota })
      }
    >
      <Select
        label={t("quotaWindow")}
        data={(["total", "day", "week", "month"] as const).map((value) => ({ value, label: t(`window.${value}`) }))}
        allowDeselect={false}
        {...form.getInputProps("window")}
      />
      <NumberInput
        label={t("quotaAmount")}
        description={t("quotaHint")}
        min={0}
        decimalScale={9}
        prefix="$"
        data-autofocus
        {...form.getInputProps("quota")}
      />
    </FormDrawer>
  );
}

/** LimitForm bounds how fast a user may call. */
export function LimitForm({ user, opened, close }: FormProps) {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const empty = {
    model_pattern: "*",
    rpm: "" as number | "",
    rpd: "" as number | "",
    total_tokens: "" as number | "",
    concurrency: "" as number | "",
  };
  const form = useForm({ initialValues: empty });
  const write = useAction("/admin/user-rate-limits/upsert", { stale: usersStale, done: t("saved"), quiet: true });
  // biome-ignore lint/correctness/useExhaustiveDependencies: an opened form begins empty
  useEffect(() => {
    if (opened) form.reset();
  }, [opened]);
  const orNull = (n: number | "") => (n === "" ? null : n);
  return (
    <FormDrawer
      title={t("limitTitle")}
      opened={opened}
      onClose={close}
      form={form}
      submit={common("create")}
      onSubmit={(v) =>
        write.mutateAsync({
          user_id: user,
          model_pattern: v.model_pattern,
          rpm: orNull(v.rpm),
          rpd: orNull(v.rpd),
          total_tokens: orNull(v.total_tokens),
          concurrency: orNull(v.concurrency),
        })
      }
    >
      <TextInput label={t("pattern")} description={t("patternHint")} required {...form.getInputProps("model_pattern")} />
      <NumberInput label={t("rpm")} min={0} allowDecimal={false} {...form.getInputProps("rpm")} />
      <NumberInput label={t("rpd")} min={0} allowDecimal={false} {...form.getInputProps("rpd")} />
      <NumberInput label={t("tpm")} min={0} allowDecimal={false} {...form.getInputProps("total_tokens")} />
      <NumberInput label={t("concurrency")} min={0} allowDecimal={false} {...form.getInputProps("concurrency")} />
    </FormDrawer>
  );
}
