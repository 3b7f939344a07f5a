import { Alert, Button, FileButton, Group, Modal, Select, Stack, Text, Textarea } from "@mantine/core";
import { IconTags, IconUpload } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { post, refresh } from "@/api/action";
import { useRows } from "@/api/rows";
import type { Answer } from "@/api/types";
import { rateOf } from "@/areas/providers/models";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { ProblemAlert } from "@/ui/problem";
import { Status } from "@/ui/status";
import { Working } from "@/ui/working";
import { entriesOf, type PriceList, partsOf, readList } from "./list";

type Entry = NonNullable<Answer<"/admin/prices/import">["entries"]>[number];

interface ImportProps {
  opened: boolean;
  close: () => void;
  /** The beginnings of what new prices make old. */
  stale: string[];
}

/** Import reads a list of prices: shows what it would change, then sets it. */
export function Import({ opened, close, stale }: ImportProps) {
  const { t } = useTranslation("prices");
  return (
    <Modal opened={opened} onClose={close} title={t("importTitle")} size="xl">
      {opened && <Steps close={close} stale={stale} />}
    </Modal>
  );
}

function Steps({ close, stale }: Omit<ImportProps, "opened">) {
  const { t } = useTranslation("prices");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const queries = useQueryClient();
  const providers = useRows("/admin/providers/query", {}, { pageSize: 1000 });
  const [text, setText] = useState("");
  const [provider, setProvider] = useState<string | null>(null);
  const [share, setShare] = useState<number | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [looked, setLooked] = useState<{ list: PriceList; entries: Entry[] } | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const anew = (change: () => void) => {
    setLooked(null);
    setFailure(null);
    setDone(null);
    change();
  };
  /** Sends the list, part by part, and answers what became of its entries. */
  const send = async (list: PriceList, dry_run: boolean): Promise<Entry[]> => {
    const parts = partsOf(list);
    const entries: Entry[] = [];
    for (const [i, part] of parts.entries()) {
      setShare(parts.length > 1 ? i / parts.length : -1);
      const answer = await post("/admin/prices/import", { ...part, dry_run });
      entries.push(...(answer.entries ?? []));
    }
    return entries;
  };
  const run = async (work: () => Promise<void>) => {
    setFailure(null);
    setShare(-1);
    try {
      await work();
    } catch (error) {
      setFailure(error instanceof SyntaxError ? new Error(t("notList", { why: error.message })) : error);
    } finally {
      setShare(null);
    }
  };
  const look = () =>
    run(async () => {
      const read = readList(text);
      const list = { ...read, provider: provider ?? read.provider };
      setLooked({ list, entries: await send(list, true) });
    });
  const set = (list: PriceList) =>
    run(async () => {
      const entries = await send(list, false);
      setDone(entries.filter((e) => e.changed).length);
      setText("");
      setLooked(null);
      await refresh(queries, stale);
    });
  const changed = looked?.entries.filter((e) => e.changed).length ?? 0;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t("importLead")}
      </Text>
      {done !== null && (
        <Alert color="pine" role="status">
          {t("imported", { count: done, number: format.number(done) })}
        </Alert>
      )}
      <Textarea
        label={t("list")}
        description={t("listHint")}
        placeholder={'{"models": [{"model_id": "some-model", "price_input_tokens": 1.25, "price_output_tokens": 10}]}'}
        value={text}
        onChange={(event) => {
          const { value } = event.currentTarget;
          anew(() => setText(value));
        }}
        rows={8}
        spellCheck={false}
        classNames={{ input: "mono" }}
      />
      <Group align="flex-end" gap="sm">
        <FileButton
          onChange={(file) => void file?.text().then((read) => anew(() => setText(read)))}
          accept=".json,application/json"
        >
          {(props) => (
            <Button {...props} variant="default" leftSection={<IconUpload size={16} aria-hidden />}>
              {t("chooseFile")}
            </Button>
          )}
        </FileButton>
        <Select
          label={t("importProvider")}
          placeholder={t("every")}
          data={providers.rows.map((p) => p.name)}
          value={provider}
          onChange={(value) => anew(() => setProvider(value))}
          clearable
          w={280}
        />
      </Group>
      {share !== null && <Working label={t("importing")} {...(share >= 0 && { share })} />}
      {failure !== null && <ProblemAlert error={failure} />}
      {looked && <Preview list={looked.list} entries={looked.entries} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {common("close")}
        </Button>
        {changed > 0 && looked ? (
          <Button onClick={() => void set(looked.list)} loading={share !== null}>
            {t("importSet", { count: changed, number: format.number(changed) })}
          </Button>
        ) : (
          <Button onClick={() => void look()} disabled={text.trim() === ""} loading={share !== null}>
            {t("importLook")}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

/** Preview is what the server would make of the list. */
function Preview({ list, entries }: { list: PriceList; entries: Entry[] }) {
  const { t } = useTranslation("prices");
  const format = useFormat();
  const rates = useMemo(
    () =>
      new Map(
        entriesOf(list).map((e) => [`${e.provider ?? list.provider ?? ""} ${e.model_pattern ?? e.model_id}`, e.prices ?? e]),
      ),
    [list],
  );
  const rate = (e: Entry, key: string) => {
    const n = rateOf((rates.get(`${e.provider} ${e.model_pattern}`) ?? {}) as Parameters<typeof rateOf>[0], key);
    return n === undefined ? "–" : format.money(n);
  };
  const columns: Column<Entry>[] = [
    { id: "model", header: t("model"), cell: (e) => e.model_pattern },
    { id: "provider", header: t("provider"), from: "wide", cell: (e) => e.provider || t("every") },
    { id: "input", header: t("input"), align: "end", from: "wide", cell: (e) => rate(e, "price_input_tokens") },
    { id: "output", header: t("output"), align: "end", from: "wide", cell: (e) => rate(e, "price_output_tokens") },
    {
      id: "state",
      header: t("becomes"),
      cell: (e) => <Status tone={e.changed ? "info" : "quiet"}>{e.changed ? t("newPrice") : t("samePrice")}</Status>,
    },
  ];
  const rest = { error: null, isPending: false, isFetching: false, hasMore: false, loadMore: () => {}, refetch: () => {} };
  return (
    <DataTable
      label={t("preview")}
      columns={columns}
      list={{ rows: entries, ...rest }}
      rowId={(e) => `${e.provider} ${e.model_pattern}`}
      empty={
        <Empty icon={IconTags} title={t("emptyList")}>
          {t("listHint")}
        </Empty>
      }
    />
  );
}
