import { Button, Group, Modal, Radio, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { ProblemAlert } from "@/ui/problem";
import { Working } from "@/ui/working";

const choices = ["before", "user", "all"] as const;
type Choice = (typeof choices)[number];

const monthAgo = () => new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);

/** ClearBodies removes bodies that are kept of requests; the rows of the requests stay. */
export function ClearBodies({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation("requests");
  return (
    <Modal opened={opened} onClose={close} title={t("clearTitle")}>
      {opened && <Form close={close} />}
    </Modal>
  );
}

function Form({ close }: { close: () => void }) {
  const { t } = useTranslation("requests");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const [choice, setChoice] = useState<Choice>("before");
  const [before, setBefore] = useState(monthAgo);
  const [user, setUser] = useState<string | null>(null);
  const users = useRows("/admin/users/query", { sort: "name" }, { pageSize: 1000, all: true, enabled: choice === "user" });
  const clear = useAction("/admin/requests/clear", { stale: ["/admin/requests/payload", "/user/requests/payload"], quiet: true });
  const run = async () => {
    const name = users.rows.find((u) => String(u.id) === user)?.name ?? "";
    const body = {
      before: t("clearSureBefore", { day: format.day(before) }),
      user: t("clearSureUser", { name }),
      all: t("clearSureAll"),
    }[choice];
    const typed = choice === "all" ? "CLEAR" : undefined;
    if (!(await confirm({ title: t("clearSure"), body, confirm: t("clear"), danger: true, typed }))) return;
    const selection = {
      before: { before: new Date(`${before}T00:00:00`).toISOString() },
      user: { user_id: { eq: Number(user) } },
      all: { all: true, confirm: "CLEAR" },
    }[choice];
    clear.mutate(selection);
  };
  const ready = choice === "all" || (choice === "before" ? before !== "" : user !== null);
  if (clear.data)
    return (
      <Stack>
        <Text role="status">{t("cleared", { count: clear.data.removed, number: format.number(clear.data.removed) })}</Text>
        <Group justify="flex-end">
          <Button onClick={close}>{common("close")}</Button>
        </Group>
      </Stack>
    );
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t("clearLead")}
      </Text>
      <Radio.Group value={choice} onChange={(value) => setChoice(value as Choice)} label={t("clearOf")}>
        <Stack gap="sm" mt="sm">
          {choices.map((value) => (
            <Radio key={value} value={value} label={t(`clearChoices.${value}`)} />
          ))}
        </Stack>
      </Radio.Group>
      {choice === "before" && (
        <TextInput
          type="date"
          label={t("clearBefore")}
          value={before}
          onChange={(event) => setBefore(event.currentTarget.value)}
        />
      )}
      {choice === "user" && (
        <Select
          label={t("user")}
          data={users.rows.map((u) => ({ value: String(u.id), label: u.name }))}
          value={user}
          onChange={setUser}
          searchable
        />
      )}
      {clear.isPending && <Working label={t("clearing")} />}
      {clear.error && <ProblemAlert error={clear.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {common("cancel")}
        </Button>
        <Button color="red" disabled={!ready} loading={clear.isPending} onClick={() => void run()}>
          {t("clear")}
        </Button>
      </Group>
    </Stack>
  );
}
