import { Alert, Button, Group, Modal, Stack, Table, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useProviderNames } from "@/api/names";
import type { Answer } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { ProblemAlert } from "@/ui/problem";

type Rated = Answer<"/admin/prices/re-rate">;

/** dayAfter is the day that follows one: periods end before their end, people's with it. */
const dayAfter = (day: string) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** Rerate prices a past time anew: shows the difference first, then books it. */
export function Rerate({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation("prices");
  const format = useFormat();
  const providerOf = useProviderNames(opened);
  const [from, setFrom] = useState(dayAgo(30));
  const [to, setTo] = useState(dayAgo(0));
  const [rated, setRated] = useState<Rated | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const look = useAction("/admin/prices/re-rate", { stale: [], quiet: true });
  const book = useAction("/admin/prices/re-rate", { stale: ["/admin/"], done: t("applied"), quiet: true });
  const period = { since: `${from}T00:00:00Z`, until: `${dayAfter(to)}T00:00:00Z` };
  const run = async (apply: boolean) => {
    setFailure(null);
    try {
      setRated(await (apply ? book : look).mutateAsync({ ...period, ...(apply && { apply }) }));
      if (apply) close();
    } catch (error) {
      setFailure(error);
    }
  };
  const agree = async () => {
    const amount = format.money(rated?.difference ?? 0);
    if (await confirm({ title: t("applyTitle", { amount }), body: t("applyBody"), confirm: t("apply"), danger: true }))
      await run(true);
  };
  return (
    <Modal opened={opened} onClose={close} title={t("rerateTitle")} size="lg">
      <Stack>
        <Text size="sm" c="dimmed">
          {t("rerateLead")}
        </Text>
        <Group grow>
          <TextInput
            type="date"
            label={t("from")}
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value || from)}
          />
          <TextInput type="date" label={t("to")} value={to} onChange={(event) => setTo(event.currentTarget.value || to)} />
        </Group>
        {failure !== null && <ProblemAlert error={failure} />}
        {rated && (
          <Alert color={rated.changed > 0 ? "orange" : "pine"}>
            {rated.changed > 0
              ? t("changed", {
                  changed: format.number(rated.changed),
                  all: format.number(rated.dispatches),
                  before: format.money(rated.cost_before),
                  after: format.money(rated.cost_after),
                })
              : t("same")}
          </Alert>
        )}
        {rated && rated.changed > 0 && (
          <Table aria-label={t("difference")}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t("model")}</Table.Th>
                <Table.Th scope="col" ta="end">
                  {t("calls")}
                </Table.Th>
                <Table.Th scope="col" ta="end">
                  {t("difference")}
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rated.models?.map((m) => (
                <Table.Tr key={`${m.provider_id} ${m.model}`}>
                  <Table.Th scope="row" fw={500}>
                    {providerOf(m.provider_id)} / {m.model}
                  </Table.Th>
                  <Table.Td ta="end" className="tabular">
                    {format.number(m.dispatches)}
                  </Table.Td>
                  <Table.Td ta="end" className="tabular">
                    {format.money(m.cost_after - m.cost_before)}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
        <Group justify="flex-end">
          <Button variant="default" loading={look.isPending} onClick={() => void run(false)}>
            {t("look")}
          </Button>
          {rated && rated.changed > 0 && (
            <Button loading={book.isPending} onClick={() => void agree()}>
              {t("apply")}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
