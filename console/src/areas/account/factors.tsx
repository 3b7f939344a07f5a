import { Anchor, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDeviceMobile, IconFingerprint } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { post, refresh, useAction } from "@/api/action";
import { type Asked, createPasskey, passkeysKnown } from "@/api/passkey";
import { problemOf } from "@/api/problem";
import { useRows } from "@/api/rows";
import type { Row, Schema } from "@/api/types";
import { CodeBlock } from "@/ui/code";
import { confirm } from "@/ui/confirm";
import { Copy } from "@/ui/copy";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { SecretDialog } from "@/ui/secret";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";

const stale = ["/user/factors", "/user/sessions", "/user/me"];

type Factor = Row<"/user/factors/query">;

/** Factors are what signs in besides the password. */
export function Factors() {
  const { t } = useTranslation("account");
  const { t: common } = useTranslation("common");
  const queries = useQueryClient();
  const list = useRows("/user/factors/query", {});
  const [app, setApp] = useState<Schema<"OwnTotpBegun"> | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const remove = useAction("/user/factors/delete", { stale, done: t("removed") }).mutate;

  const failed = (error: unknown) => {
    if (error instanceof DOMException && error.name === "NotAllowedError") return; // the person thought better of it
    notifications.show({ title: common("failed"), message: problemOf(error)?.detail ?? common("unreachable"), color: "red" });
  };
  const enrolled = async (answer: { recovery_codes?: string[] | null }) => {
    setApp(null);
    if (answer.recovery_codes?.length) setCodes(answer.recovery_codes);
    notifications.show({ message: t("added"), color: "pine" });
    await refresh(queries, stale);
  };
  const addApp = () => post("/user/factors/totp/begin", {}).then((begun) => setApp(begun as Schema<"OwnTotpBegun">), failed);
  const addKey = async () => {
    try {
      const asked = (await post("/user/factors/passkey/begin", {})) as unknown as Asked;
      const credential = await createPasskey(asked);
      await enrolled(await post("/user/factors/passkey/finish", { token: asked.token, credential } as never));
    } catch (error) {
      failed(error);
    }
  };
  const renew = async () => {
    const sure = await confirm({ title: t("codesAnewTitle"), body: t("codesAnewBody"), confirm: t("codesAnew"), danger: true });
    if (sure) await post("/user/factors/recovery-codes", {}).then((answer) => setCodes(answer.recovery_codes), failed);
  };
  const drop = async (factor: Factor) => {
    const name = factor.label || t(factor.kind === "totp" ? "app" : "passkey");
    if (await confirm({ title: t("removeTitle", { name }), body: t("removeBody"), confirm: t("remove"), danger: true }))
      remove({ id: factor.id });
  };
  return (
    <Card
      title={t("factors")}
      aside={
        <Group gap="xs">
          <Button variant="default" leftSection={<IconDeviceMobile size={16} aria-hidden />} onClick={() => void addApp()}>
            {t("addApp")}
          </Button>
          <Button
            variant="default"
            leftSection={<IconFingerprint size={16} aria-hidden />}
            onClick={() => void addKey()}
            disabled={!passkeysKnown()}
            title={passkeysKnown() ? undefined : t("noKeys")}
          >
            {t("addKey")}
          </Button>
        </Group>
      }
    >
      <Text size="sm" c="dimmed">
        {t("factorsLead")}
      </Text>
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {list.rows.map((factor) => (
        <FactorLine key={factor.id} factor={factor} remove={() => void drop(factor)} />
      ))}
      {list.rows.some((f) => f.confirmed) && (
        <Group>
          <Button variant="subtle" onClick={() => void renew()}>
            {t("codesAnew")}
          </Button>
        </Group>
      )}
      <AppDialog begun={app} close={() => setApp(null)} enrolled={enrolled} />
      <SecretDialog title={t("codes")} label={t("codes")} secret={codes?.join("\n") ?? null} onClose={() => setCodes(null)}>
        <Text size="sm">{t("codesBody")}</Text>
      </SecretDialog>
    </Card>
  );
}

function FactorLine({ factor, remove }: { factor: Factor; remove: () => void }) {
  const { t } = useTranslation("account");
  const kind = t(factor.kind === "totp" ? "app" : "passkey");
  return (
    <Group justify="space-between">
      <Group gap="sm">
        {factor.kind === "totp" ? <IconDeviceMobile size={20} aria-hidden /> : <IconFingerprint size={20} aria-hidden />}
        <Stack gap={0}>
          <Text fw={550}>{factor.label || kind}</Text>
          <Text size="xs" c="dimmed" component="div">
            {kind} · {t("lastUsed")} <Time at={factor.last_used_at} />
          </Text>
        </Stack>
        {!factor.confirmed && <Status tone="warn">{t("unconfirmed")}</Status>}
        {factor.warned_at && <Status tone="bad">{t("copied")}</Status>}
      </Group>
      <Button variant="subtle" color="red" onClick={remove} aria-label={`${t("remove")}: ${factor.label || kind}`}>
        {t("remove")}
      </Button>
    </Group>
  );
}

interface AppDialogProps {
  begun: Schema<"OwnTotpBegun"> | null;
  close: () => void;
  enrolled: (answer: { recovery_codes?: string[] | null }) => Promise<void>;
}

function AppDialog({ begun, close, enrolled }: AppDialogProps) {
  const { t } = useTranslation("account");
  const [code, setCode] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!begun) return;
    setBusy(true);
    setFailure(null);
    try {
      await enrolled(await post("/user/factors/totp/confirm", { id: begun.id, code: code.replace(/\s/g, "") }));
      setCode("");
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={begun !== null} onClose={close} title={t("appTitle")} closeOnClickOutside={false}>
      {begun && (
        <form onSubmit={send}>
          <Stack>
            <Text size="sm">{t("appBody")}</Text>
            <Anchor href={begun.uri}>{t("appLink")}</Anchor>
            <CodeBlock text={begun.secret} label={t("secret")} />
            <TextInput
              label={t("code")}
              inputMode="numeric"
              autoComplete="one-time-code"
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              data-autofocus
            />
            {failure !== null && <ProblemAlert error={failure} />}
            <Group justify="flex-end">
              <Copy value={begun.secret} />
              <Button type="submit" loading={busy}>
                {t("confirm")}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
