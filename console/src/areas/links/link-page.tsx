import { Button, Divider, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { plainClient } from "@/api/client";
import { Failure, fieldsOf, problemOf, statusOf } from "@/api/problem";
import { providersQuery } from "@/api/session";
import type { Problem } from "@/api/types";
import classes from "@/areas/session/sign-in.module.css";
import { Mark } from "@/shell/mark";
import { ProblemAlert } from "@/ui/problem";

/** Purpose is what a link is for. */
export type Purpose = "reset" | "invitation" | "setup";

/** The token stands behind the #, which no server and no log sees; it is read once and taken out of the address. */
function useToken(): string {
  const [token] = useState(() => window.location.hash.slice(1));
  useEffect(() => {
    if (window.location.hash) window.history.replaceState(window.history.state, "", window.location.pathname);
  }, []);
  return token;
}

interface Values {
  username: string;
  email: string;
  password: string;
}

type Sent = { error?: unknown; response: Response };

function send(purpose: Purpose, token: string, { username, email, password }: Values): Promise<Sent> {
  switch (purpose) {
    case "reset":
      return plainClient.POST("/auth/reset", { body: { token, password } });
    case "invitation":
      return plainClient.POST("/auth/invitation/accept", { body: { token, username, password } });
    case "setup":
      return plainClient.POST("/auth/setup", { body: { token, username, password, email: email || null } });
  }
}

/** LinkPage is where single-use links lead: a new password, an invitation, the first account. */
export function LinkPage({ purpose }: { purpose: Purpose }) {
  const { t } = useTranslation("links");
  const token = useToken();
  const [team, setTeam] = useState<string | null>(null);
  const [elsewhere, setElsewhere] = useState(false);
  const [bad, setBad] = useState(token === "");
  const [done, setDone] = useState(false);
  const title = t(`${purpose}Title`);
  useDocumentTitle(`${title} · Tollgate`);
  useEffect(() => {
    if (!token || purpose === "reset") return;
    const check = async () => {
      if (purpose === "setup") {
        const { response } = await plainClient.POST("/auth/setup/check", { body: { token } });
        setBad(!response.ok);
        return;
      }
      const { data, response } = await plainClient.POST("/auth/invitation", { body: { token } });
      setBad(!response.ok);
      setTeam(data?.team ?? null);
      setElsewhere(data?.sso_only === true);
    };
    check().catch(() => {}); // a lost network is said when the form is sent
  }, [token, purpose]);
  return (
    <main className={classes.page}>
      <Stack className={classes.box} gap="lg">
        <Stack align="center" gap="xs">
          <Mark size={52} />
          <Title order={1} ta="center">
            {bad ? t("badTitle") : title}
          </Title>
          <Text c="dimmed" ta="center">
            {bad ? t("badBody") : t(elsewhere ? "invitationLeadProvider" : `${purpose}Lead`)}
          </Text>
          {team && !bad && <Text ta="center">{t("invitationTeam", { team })}</Text>}
        </Stack>
        <Stack className={`card ${classes.card}`} gap="md">
          {done && <Text>{purpose === "reset" ? t("doneReset") : t("doneCreate")}</Text>}
          {done || bad ? (
            <Button component={Link} to="/sign-in" fullWidth>
              {t("signIn")}
            </Button>
          ) : (
            <>
              {!elsewhere && <LinkForm purpose={purpose} token={token} onBad={() => setBad(true)} onDone={() => setDone(true)} />}
              {purpose === "invitation" && <Providers token={token} alone={elsewhere} onBad={() => setBad(true)} />}
            </>
          )}
        </Stack>
      </Stack>
    </main>
  );
}

/** Providers take an invitation up by signing in elsewhere; none are shown where none are set up. */
function Providers({ token, alone, onBad }: { token: string; alone: boolean; onBad: () => void }) {
  const { t } = useTranslation("links");
  const { data = [] } = useQuery(providersQuery);
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState("");
  if (data.length === 0) return null;
  const leave = async (provider: string) => {
    setBusy(provider);
    setFailure(null);
    try {
      const { data: way, error, response } = await plainClient.POST("/auth/invitation/sign-in", { body: { token, provider } });
      if (!way) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
      window.location.assign(way.url ?? "");
    } catch (error) {
      if (statusOf(error) === 404) onBad();
      else setFailure(error);
      setBusy("");
    }
  };
  return (
    <>
      {!alone && <Divider label={t("or")} />}
      {data.map(({ name, title }) => (
        <Button key={name} variant="default" fullWidth loading={busy === name} onClick={() => void leave(name)}>
          {t("with", { provider: title })}
        </Button>
      ))}
      {failure !== null && <ProblemAlert error={failure} />}
    </>
  );
}

function LinkForm(props: { purpose: Purpose; token: string; onBad: () => void; onDone: () => void }) {
  const { purpose, token, onBad, onDone } = props;
  const { t } = useTranslation("links");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm<Values>({ initialValues: { username: "", email: "", password: "" } });
  const submit = async (values: Values) => {
    setBusy(true);
    setFailure(null);
    try {
      const { error, response } = await send(purpose, token, values);
      if (!response.ok) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
      onDone();
    } catch (error) {
      const fields = fieldsOf(problemOf(error) ?? {});
      if (statusOf(error) === 404) onBad();
      else if (Object.keys(fields).some((name) => name in values)) form.setErrors(fields);
      else setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack>
        {purpose !== "reset" && (
          <TextInput label={t("username")} autoComplete="username" required autoFocus {...form.getInputProps("username")} />
        )}
        {purpose === "setup" && <TextInput label={t("email")} type="email" {...form.getInputProps("email")} />}
        <PasswordInput
          label={t("password")}
          description={t("passwordHint")}
          autoComplete="new-password"
          required
          {...form.getInputProps("password")}
        />
        {failure !== null && <ProblemAlert error={failure} />}
        <Button type="submit" loading={busy} fullWidth>
          {purpose === "reset" ? t("set") : t("create")}
        </Button>
      </Stack>
    </form>
  );
}
