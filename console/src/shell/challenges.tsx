import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { answerChallenge, type Challenge, useGate } from "@/api/gate";
import { meQuery, signIn, stepUp, useMe } from "@/api/session";
import { ProblemAlert } from "@/ui/problem";

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

function Proof({ challenge }: { challenge: Challenge }) {
  const { t } = useTranslation("common");
  const me = useMe();
  const queries = useQueryClient();
  const [name, setName] = useState(me.name);
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const ended = challenge === "sign-in";

  const send = async (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setBusy(true);
    try {
      if (ended) {
        const { user_id } = await signIn(name, password);
        if (user_id !== me.id) return window.location.reload(); // somebody else: nothing of this page is theirs
      } else {
        await stepUp(password);
      }
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
      answerChallenge(true);
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
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
        {failure !== null && <ProblemAlert error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => (ended ? window.location.assign("/console/sign-in") : answerChallenge(false))}>
            {ended ? t("signOut") : t("cancel")}
          </Button>
          <Button type="submit" loading={busy}>
            {ended ? t("signIn") : t("confirm")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
