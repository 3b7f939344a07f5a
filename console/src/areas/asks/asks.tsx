import { Button, Group, Modal, NumberInput, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconMessageQuestion, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useUserNames } from "@/api/names";
import { type Rows, useRows } from "@/api/rows";
import type { Schema } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { FormDrawer } from "@/ui/form-drawer";
import { Page } from "@/ui/page";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";

type Ask = Schema<"Ask">;

const stale = ["/user/asks", "/admin/asks", "/admin/user-quotas", "/admin/user-permissions", "/user/quota", "/user/models"];
const tones = { open: "warn", approved: "good", declined: "bad", withdrawn: "quiet" } as const;
const windows = ["total", "day", "week", "month"] as const;

/** AsksPage lists one's own asks, or everybody's for who decides. */
export function AsksPage({ scope }: { scope: "user" | "admin" }) {
  const { t } = useTranslation("asks");
  const format = useFormat();
  const own = scope === "user";
  const [opened, form] = useDisclosure();
  const [deciding, setDeciding] = useState<Ask | null>(null);
  const list = useRows(own ? "/user/asks/query" : "/admin/asks/query", { sort: "-id" }) as unknown as Rows<Ask>;
  const withdraw = useAction("/user/asks/withdraw", { stale, done: t("gone") }).mutate;
  const userOf = useUserNames(!own);
  const whatOf = (a: Ask) =>
    a.kind === "model"
      ? (a.model ?? "")
      : t("budgetOf", { amount: format.money(a.quota ?? 0), window: t(`windows.${(a.window ?? "total") as "total"}`) });
  const columns: Column<Ask>[] = [
    { id: "time", header: t("time"), cell: (a) => <Time at={a.created_at} /> },
    ...(own ? [] : [{ id: "user", header: t("user"), cell: (a: Ask) => userOf(a.user_id) }]),
    {
      id: "what",
      header: t("kind"),
      cell: (a) => (
        <Stack gap={0}>
          <Text size="sm">{whatOf(a)}</Text>
          {a.note && (
            <Text size="xs" c="dimmed" lineClamp={1} title={a.note}>
              {a.note}
            </Text>
          )}
        </Stack>
      ),
    },
    { id: "state", header: t("state"), cell: (a) => <Status tone={tones[a.state]}>{t(`states.${a.state}`)}</Status> },
    { id: "answer", header: t("answer"), from: "wide", cell: (a) => a.decision_note || "–" },
    {
      id: "act",
      header: "",
      label: own ? t("withdraw") : t("answer"),
      align: "end",
      cell: (a) =>
        a.state !== "open" ? null : (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => (own ? withdraw({ id: a.id }) : setDeciding(a))}
            aria-label={`${own ? t("withdraw") : t("answer")}: ${whatOf(a)}`}
          >
            {own ? t("withdraw") : t("answer")}
          </Button>
        ),
    },
  ];
  const create = own && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={form.open}>
      {t("create")}
    </Button>
  );
  return (
    <Page title={own ? t("titleOwn") : t("titleAll")} lead={own ? t("leadOwn") : t("leadAll")} actions={create}>
      <DataTable
        label={own ? t("titleOwn") : t("titleAll")}
        columns={columns}
        list={list}
        rowId={(a) => String(a.id)}
        empty={
          <Empty icon={IconMessageQuestion} title={t("emptyTitle")}>
            {t("emptyBody")}
          </Empty>
        }
      />
      {own && <AskForm opened={opened} close={form.close} />}
      <Decide ask={deciding} what={deciding ? whatOf(deciding) : ""} close={() => setDeciding(null)} />
    </Page>
  );
}

function AskForm({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation("asks");
  const form = useForm({
    initialValues: { kind: "budget" as "budget" | "model", model: "", quota: "" as number | "", window: "month", note: "" },
  });
  const write = useAction("/user/asks/create", { stale, done: t("sent"), quiet: true });
  const { kind } = form.values;
  return (
    <FormDrawer
      title={t("create")}
      opened={opened}
      onClose={close}
      form={form}
      submit={t("create")}
      onSubmit={({ model, quota, window, note }) =>
        write.mutateAsync({
          kind,
          note,
          ...(kind === "model" ? { model } : { window: window as "month", ...(quota !== "" && { quota }) }),
        })
      }
    >
      <Select
        label={t("kind")}
        data={(["budget", "model"] as const).map((value) => ({ value, label: t(`kinds.${value}`) }))}
        allowDeselect={false}
        {...form.getInputProps("kind")}
      />
      {kind === "model" ? (
        <TextInput label={t("model")} required {...form.getInputProps("model")} />
      ) : (
        <>
          <NumberInput label={t("quota")} min={0} decimalScale={9} prefix="$" required {...form.getInputProps("quota")} />
          <Select
            label={t("window")}
            data={windows.map((value) => ({ value, label: t(`windows.${value}`) }))}
            allowDeselect={false}
            {...form.getInputProps("window")}
          />
        </>
      )}
      <Textarea label={t("note")} autosize minRows={2} {...form.getInputProps("note")} />
    </FormDrawer>
  );
}

function Decide({ ask, what, close }: { ask: Ask | null; what: string; close: () => void }) {
  const { t } = useTranslation("asks");
  const [note, setNote] = useState("");
  const decide = useAction("/admin/asks/decide", { stale, done: t("decided") });
  const send = (approve: boolean) => {
    if (ask) decide.mutate({ id: ask.id, approve, note }, { onSuccess: close });
  };
  return (
    <Modal opened={ask !== null} onClose={close} title={what}>
      <Stack>
        {ask?.note && <Text size="sm">{ask.note}</Text>}
        <Textarea
          label={t("decideNote")}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          autosize
          minRows={2}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={() => send(false)} loading={decide.isPending}>
            {t("decline")}
          </Button>
          <Button onClick={() => send(true)} loading={decide.isPending}>
            {t("approve")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
