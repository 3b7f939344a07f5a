import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { answerChallenge, type Challenge, useGate } from "@/api/gate";
import { passkeysKnown } from "@/api/passkey";
import { problemOf } from "@/api/problem";
import { meQuery, type SignInProvider, secondFactor, signIn, stepUp, stepUpWithPasskey, useMe, waysQuery } from "@/api/session";
import { ProblemAlert } from "@/ui/problem";
import { ProviderLinks } from "@/ui/provider-links";

/** Challenges asks over the page for what a waiting request needs. */
export function Challenges() {
  const { t } = useTranslation("common");
  const { challenge } = useGate();
  return (
    <Modal
      opened={challenge !== null}
      onClose={() => answerChallenge(false)}
      title={challenge === "sign-in" ? t("sessionTitle") : t("stepUpTitle")}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": t("cancel") }}
      zIndex={500}
    >
      {challenge && <Proof challenge={challenge} />}
    </Modal>
  );
}

/** Proof asks for the password, or leads to a provider where that is the way in. */
function Proof({ challenge }: { challenge: Challenge }) {
  const me = useMe();
  const { data: ways, isPending } = useQuery(waysQuery);
  if (isPending) return null;
  const elsewhere = ways?.providers.filter(({ name }) => me.identities.some(({ provider }) => provider === name)) ?? [];
  const ownWay = me.has_password && (me.is_super_admin || !ways?.ssoOnly);
  return ownWay || elsewhere.length === 0 ? (
    <OwnProof challenge={challenge} />
  ) : (
    <ElsewhereProof list={elsewhere} challenge={challenge} />
  );
}

function ElsewhereProof({ list, challenge }: { list: SignInProvider[]; challenge: Challenge }) {
  const { t } = useTranslation("common");
  const { pathname, search } = window.location;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {challenge === "sign-in" ? t("sessionElsewhere") : t("stepUpElsewhere")}
      </Text>
      <ProviderLinks list={list} to={pathname + search} />
      <Button variant="subtle" onClick={() => answerChallenge(false)}>
        {t("cancel")}
      </Button>
    </Stack>
  );
}

function OwnProof({ challenge }: { challenge: Challenge }) {
  const { t } = useTranslation("common");
  const me = useMe();
  const queries = useQueryClient();
  const [name, setName] = useState(me.name);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [askCode, setAskCode] = useState(false);
  const [token, setToken] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const ended = challenge === "sign-in";

  const send = async (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setBusy(true);
    try {
      if (ended) {
        const { user_id } = token ? await secondFactor({ login_token: token, code: code.trim() }) : await signIn(name, password);
        if (user_id !== me.id) return window.location.reload(); // somebody else: nothing of this page is theirs
      } else {
        await stepUp({ password, ...(code && { code: code.trim() }) });
      }
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
      answerChallenge(true);
    } catch (error) {
      const problem = problemOf(error);
      if (problem?.login_token) setToken(problem.login_token);
      if (problem?.login_token || problem?.reason === "second_factor") setAskCode(true);
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const byPasskey = async () => {
    setFailure(null);
    try {
      await stepUpWithPasskey();
      answerChallenge(true);
    } catch (error) {
      if (!(error instanceof DOMException)) setFailure(error);
    }
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <Text size="sm" c="dimmed">
          {ended ? t("sessionBody") : t("stepUpBody")}
        </Text>
        {ended && (
          <TextInput
            label={t("username")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoComplete="username"
          />
        )}
        <PasswordInput
          label={t("password")}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          data-autofocus
        />
        {askCode && (
          <TextInput
            label={t("code")}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            autoComplete="one-time-code"
            autoFocus
          />
        )}
        {failure !== null && <ProblemAlert error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => (ended ? window.location.assign("/console/sign-in") : answerChallenge(false))}>
            {ended ? t("signOut") : t("cancel")}
          </Button>
          {!ended && passkeysKnown() && (
            <Button variant="default" onClick={() => void byPasskey()}>
              {t("passkey")}
            </Button>
          )}
          <Button type="submit" loading={busy}>
            {ended ? t("signIn") : t("confirm")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
