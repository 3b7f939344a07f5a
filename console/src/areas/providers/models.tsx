import { Button, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconCpu, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Card } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Enabled, Status } from "@/ui/status";

type Model = Row<"/admin/models/query">;
type Editing = Model | "new" | null;

const stale = ["/admin/models", "/admin/prices", "/user/models"];

/** rateOf reads one rate of a price, of its first tier where it has tiers. */
export function rateOf(prices: unknown, key: string): number | undefined {
  const object = (prices ?? {}) as Record<string, unknown>;
  const tier = Array.isArray(object.price_tiers) ? (object.price_tiers[0] as Record<string, unknown>) : object;
  const rate = tier?.[key];
  return typeof rate === "number" ? rate : undefined;
}

/** Models are those of a provider that are named, with limits and prices. */
export function Models({ provider }: { provider: number }) {
  const { t } = useTranslation("providers");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const [editing, setEditing] = useState<Editing>(null);
  const list = useRows("/admin/models/query", { provider_id: { eq: provider } });
  const write = useAction("/admin/models/upsert", { stale, done: t("modelSaved") }).mutate;
  const remove = useAction("/admin/models/delete", { stale, done: t("modelDeleted") }).mutate;
  const drop = async ({ id, model_id }: Model) => {
    const question = {
      title: t("modelDelete", { name: model_id }),
      body: t("modelDeleteBody"),
      confirm: common("delete"),
      danger: true,
    };
    if (await confirm(question)) remove({ id });
  };
  const tokens = (n: number) => (n > 0 ? format.tokens(n) : "–");
  const columns: Column<Model>[] = [
    {
      id: "model",
      header: t("modelId"),
      cell: (m) => (
        <Stack gap={0}>
          <Text size="sm" fw={550} lineClamp={1}>
            {m.model_id}
          </Text>
          {m.display_name && (
            <Text size="xs" c="dimmed" lineClamp={1}>
              {m.display_name}
            </Text>
          )}
        </Stack>
      ),
    },
    { id: "state", header: t("state"), from: "wide", cell: (m) => <Enabled enabled={m.enabled} /> },
    { id: "context", header: t("context"), align: "end", from: "wider", cell: (m) => tokens(m.context_tokens) },
    { id: "output", header: t("output"), align: "end", from: "wider", cell: (m) => tokens(m.output_tokens) },
    {
      id: "price",
      header: t("price"),
      align: "end",
      cell: (m) => {
        if (!m.price) return <Status tone="warn">{t("unpriced")}</Status>;
        const input = format.money(rateOf(m.price.prices, "price_input_tokens") ?? 0);
        const output = format.money(rateOf(m.price.prices, "price_output_tokens") ?? 0);
        return <span title={t(`source.${m.price.source}`)}>{t("inOut", { input, output })}</span>;
      },
    },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (m) => (
        <RowMenu
          name={m.model_id}
          items={[
            { label: common("edit"), run: () => setEditing(m) },
            { label: m.enabled ? t("deactivate") : t("activate"), run: () => write({ id: m.id, enabled: !m.enabled }) },
            { label: common("delete"), run: () => void drop(m), danger: true },
          ]}
        />
      ),
    },
  ];
  const add = (
    <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEditing("new")}>
      {t("addModel")}
    </Button>
  );
  return (
    <Card title={t("models")} aside={add}>
      <Text size="sm" c="dimmed">
        {t("modelsLead")}
      </Text>
      <DataTable
        label={t("models")}
        columns={columns}
        list={list}
        rowId={(m) => String(m.id)}
        empty={
          <Empty icon={IconCpu} title={t("models")}>
            {t("noModels")}
          </Empty>
        }
      />
      <ModelForm provider={provider} editing={editing} close={() => setEditing(null)} />
    </Card>
  );
}

function valuesOf(editing: Editing) {
  const model = editing === "new" || editing === null ? null : editing;
  return {
    model_id: model?.model_id ?? "",
    display_name: model?.display_name ?? "",
    context_tokens: (model?.context_tokens || "") as number | "",
    output_tokens: (model?.output_tokens || "") as number | "",
    input: (rateOf(model?.prices, "price_input_tokens") ?? "") as number | "",
    output: (rateOf(model?.prices, "price_output_tokens") ?? "") as number | "",
  };
}

function ModelForm({ provider, editing, close }: { provider: number; editing: Editing; close: () => void }) {
  const { t } = useTranslation("providers");
  const { t: common } = useTranslation("common");
  const form = useForm({ initialValues: valuesOf(null) });
  const write = useAction("/admin/models/upsert", { stale, done: t("modelSaved"), quiet: true });
  const isNew = editing === "new";
  const send = (v: ReturnType<typeof valuesOf>) => {
    const rates = {
      ...(v.input !== "" && { price_input_tokens: v.input }),
      ...(v.output !== "" && { price_output_tokens: v.output }),
    };
    const priced = form.isDirty("input") || form.isDirty("output");
    return write.mutateAsync({
      ...(editing === "new" || editing === null ? { provider_id: provider, model_id: v.model_id } : { id: editing.id }),
      display_name: v.display_name || null,
      context_tokens: v.context_tokens === "" ? null : v.context_tokens,
      output_tokens: v.output_tokens === "" ? null : v.output_tokens,
      ...(priced && { prices: Object.keys(rates).length > 0 ? rates : null }),
    });
  };
  return (
    <FormDrawer
      title={isNew ? t("modelTitle") : t("modelEdit", { name: editing?.model_id ?? "" })}
      opened={editing !== null}
      onClose={close}
      form={form}
      begin={() => valuesOf(editing)}
      submit={isNew ? common("create") : common("save")}
      onSubmit={send}
    >
      <TextInput label={t("modelId")} required disabled={!isNew} data-autofocus {...form.getInputProps("model_id")} />
      <TextInput label={t("displayName")} {...form.getInputProps("display_name")} />
      <NumberInput label={t("context")} min={0} allowDecimal={false} {...form.getInputProps("context_tokens")} />
      <NumberInput label={t("output")} min={0} allowDecimal={false} {...form.getInputProps("output_tokens")} />
      <NumberInput
        label={t("inputPrice")}
        description={t("priceHint")}
        min={0}
        decimalScale={9}
        {...form.getInputProps("input")}
      />
      <NumberInput
        label={t("outputPrice")}
        description={t("priceHint")}
        min={0}
        decimalScale={9}
        {...form.getInputProps("output")}
      />
    </FormDrawer>
  );
}
