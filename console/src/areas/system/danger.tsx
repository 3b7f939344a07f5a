import { Alert, Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useMe } from "@/api/session";
import type { Answer } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Working } from "@/ui/working";

const parts = ["statistics", "logs", "users"] as const;
type Part = (typeof parts)[number];

/** Danger takes away what cannot be brought back, and says before exactly what goes and what stays. */
export function Danger() {
  const { t } = useTranslation("system");
  const me = useMe();
  const [chosen, setChosen] = useState<Part[]>([]);
  const reset = useAction("/admin/system/reset", { stale: ["/admin/", "/user/"], quiet: true });
  const what = parts.filter((part) => chosen.includes(part));
  const run = async () => {
    const list = (
      <Stack gap="xs">
        <Text size="sm">{t("resetGoes")}</Text>
        <ul style={{ margin: 0, paddingInlineStart: 18 }}>
          {what.map((part) => (
            <li key={part}>{t(`goes.${part}`)}</li>
          ))}
        </ul>
        <Text size="sm">{t("resetFinal")}</Text>
      </Stack>
    );
    if (!(await confirm({ title: t("resetTitle"), body: list, confirm: t("reset"), danger: true, typed: "RESET" }))) return;
    reset.mutate({ what, confirm: "RESET" }, { onSuccess: () => setChosen([]) });
  };
  return (
    <Card title={t("resetHead")}>
      <Text size="sm" c="dimmed">
        {t("resetLead")}
      </Text>
      {!me.is_super_admin && (
        <Alert color="gray" icon={<IconAlertTriangle aria-hidden />}>
          {t("superOnly")}
        </Alert>
      )}
      <Checkbox.Group value={chosen} onChange={(value) => setChosen(value as Part[])} aria-label={t("resetHead")}>
        <Stack gap="md">
          {parts.map((part) => (
            <Checkbox
              key={part}
              value={part}
              label={t(`parts.${part}`)}
              description={t(`goes.${part}`)}
              color="red"
              disabled={!me.is_super_admin}
            />
          ))}
        </Stack>
      </Checkbox.Group>
      <Alert color="pine" icon={<IconCircleCheck aria-hidden />} title={t("stays")}>
        {what.includes("users") ? t("staysWithoutUsers") : t("staysAll")}
      </Alert>
      {reset.isPending && <Working label={t("resetting")} />}
      {reset.error && <ProblemAlert error={reset.error} />}
      {reset.data && !reset.isPending && <Done done={reset.data} />}
      <Group justify="flex-end">
        <Button
          color="red"
          disabled={what.length === 0 || !me.is_super_admin}
          loading={reset.isPending}
          onClick={() => void run()}
        >
          {t("resetAsk")}
        </Button>
      </Group>
    </Card>
  );
}

function Done({ done }: { done: Answer<"/admin/system/reset"> }) {
  const { t } = useTranslation("system");
  const format = useFormat();
  const of = (n: number) => format.number(n);
  return (
    <Alert color="orange" title={t("resetDone")} role="status">
      {t("resetDoneBody", {
        dispatches: of(done.dispatches),
        requests: of(done.requests),
        users: of(done.users),
        balances: of(done.balances),
      })}
    </Alert>
  );
}
