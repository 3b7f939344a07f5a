import { Button, Group, NumberInput, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconSearch, IconTags } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useProviderNames } from "@/api/names";
import { useRows } from "@/api/rows";
import type { Row } from "@/api/types";
import { rateOf } from "@/areas/providers/models";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Page } from "@/ui/page";
import { RowMenu } from "@/ui/row-menu";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";
import { Import } from "./import";
import { Rerate } from "./rerate";

type Price = Row<"/admin/prices/query">;

const route = getRouteApi("/_app/admin/prices");
const stale = ["/admin/prices", "/admin/models"];

/** PricesPage is the price book. */
export function PricesPage() {
  const { t } = useTranslation("prices");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const { q, all } = route.useSearch();
  const navigate = route.useNavigate();
  const [creating, create] = useDisclosure();
  const [rerating, rerate] = useDisclosure();
  const [importing, imports] = useDisclosure();
  const providerOf = useProviderNames();
  const list = useRows("/admin/prices/query", { sort: "-id" }, { pageSize: 1000, all: true });
  const remove = useAction("/admin/prices/delete", { stale, done: t("withdrawn") }).mutate;
  const rows = useMemo(() => {
    const part = q?.toLowerCase() ?? "";
    return list.rows.filter((p) => (all || p.in_force) && p.model_pattern.toLowerCase().includes(part));
  }, [list.rows, q, all]);
  const drop = async (p: Price) => {
    const question = {
      title: t("withdrawTitle", { name: p.model_pattern }),
      body: t("withdrawBody"),
      confirm: t("withdraw"),
      danger: true,
    };
    if (await confirm(question)) remove({ id: p.id });
  };
  const rate = (p: Price, key: string) => {
    const n = rateOf(p.prices, key);
    return n === undefined ? "–" : format.money(n);
  };
  const columns: Column<Price>[] = [
    { id: "model", header: t("model"), cell: (p) => p.model_pattern },
    {
      id: "provider",
      header: t("provider"),
      from: "wide",
      cell: (p) => (p.provider_id ? providerOf(p.provider_id) : t("every")),
    },
    { id: "input", header: t("input"), align: "end", cell: (p) => rate(p, "price_input_tokens") },
    { id: "output", header: t("output"), align: "end", cell: (p) => rate(p, "price_output_tokens") },
    { id: "cache", header: t("cacheRead"), align: "end", from: "wider", cell: (p) => rate(p, "price_cache_read_input_tokens") },
    {
      id: "source",
      header: t("source"),
      from: "wide",
      cell: (p) => <Status tone={p.source === "shipped" ? "quiet" : "info"}>{t(`sources.${p.source}`)}</Status>,
    },
    { id: "since", header: t("since"), from: "wide", cell: (p) => <Time at={p.valid_from} /> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: (p) =>
        p.in_force && p.source !== "shipped" ? (
          <RowMenu name={p.model_pattern} items={[{ label: t("withdraw"), run: () => void drop(p), danger: true }]} />
        ) : null,
    },
  ];
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        <>
          <Button variant="default" onClick={imports.open}>
            {t("import")}
          </Button>
          <Button variant="default" onClick={rerate.open}>
            {t("rerate")}
          </Button>
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={create.open}>
            {t("create")}
          </Button>
        </>
      }
    >
      <Stack gap="sm">
        <Group gap="md">
          <TextInput
            aria-label={t("search")}
            placeholder={t("search")}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={q ?? ""}
            onChange={(event) =>
              void navigate({ search: (now) => ({ ...now, q: event.currentTarget.value || undefined }), replace: true })
            }
            data-page-search
            w={280}
          />
          <Switch
            label={t("all")}
            checked={all === "yes"}
            onChange={(event) =>
              void navigate({
                search: (now) => ({ ...now, all: event.currentTarget.checked ? "yes" : undefined }),
                replace: true,
              })
            }
          />
        </Group>
        <DataTable
          label={t("title")}
          columns={columns}
          list={{ ...list, rows }}
          rowId={(p) => String(p.id)}
          empty={
            <Empty icon={IconTags} title={t("emptyTitle")}>
              {t("emptyBody")}
            </Empty>
          }
        />
      </Stack>
      <PriceForm opened={creating} close={create.close} />
      <Import opened={importing} close={imports.close} stale={stale} />
      <Rerate opened={rerating} close={rerate.close} />
    </Page>
  );
}

function PriceForm({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation("prices");
  const { t: common } = useTranslation("common");
  const providers = useRows("/admin/providers/query", {}, { enabled: opened });
  const empty = {
    model_pattern: "",
    provider_id: null as string | null,
    input: "" as number | "",
    output: "" as number | "",
    cache: "" as number | "",
  };
  const form = useForm({ initialValues: empty });
  const write = useAction("/admin/prices/upsert", { stale, done: t("saved"), quiet: true });
  const send = (v: typeof empty) =>
    write.mutateAsync({
      model_pattern: v.model_pattern,
      provider_id: v.provider_id ? Number(v.provider_id) : null,
      prices: {
        ...(v.input !== "" && { price_input_tokens: v.input }),
        ...(v.output !== "" && { price_output_tokens: v.output }),
        ...(v.cache !== "" && { price_cache_read_input_tokens: v.cache }),
      },
    });
  return (
    <FormDrawer title={t("createTitle")} opened={opened} onClose={close} form={form} submit={common("save")} onSubmit={send}>
      <TextInput
        label={t("model")}
        description={t("modelHint")}
        required
        data-autofocus
        {...form.getInputProps("model_pattern")}
      />
      <Select
        label={t("provider")}
        placeholder={t("every")}
        data={providers.rows.map((p) => ({ value: String(p.id), label: p.name }))}
        clearable
        {...form.getInputProps("provider_id")}
      />
      <NumberInput label={t("inputLabel")} min={0} decimalScale={9} {...form.getInputProps("input")} />
      <NumberInput label={t("outputLabel")} min={0} decimalScale={9} {...form.getInputProps("output")} />
      <NumberInput label={t("cacheLabel")} min={0} decimalScale={9} {...form.getInputProps("cache")} />
    </FormDrawer>
  );
}
