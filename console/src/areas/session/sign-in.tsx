import { Alert, Anchor, Button, Divider, Group, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDocumentTitle } from "@mantine/hooks";
import { IconFingerprint } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { passkeysKnown, showPasskey } from "@/api/passkey";
import { problemOf } from "@/api/problem";
import { pendingFactor, type SignInProvider, secondFactor, signIn, signInWithPasskey, waysQuery } from "@/api/session";
import type { Problem } from "@/api/types";
import { type Language, languages, switchLanguage } from "@/i18n";
import { Mark } from "@/shell/mark";
import { ProblemAlert } from "@/ui/problem";
import { ProviderLinks } from "@/ui/provider-links";
import classes from "./sign-in.module.css";

const route = getRouteApi("/sign-in");

/** inside reports whether a path to go on to is ours and nobody else's. */
function inside(path: string | undefined): path is string {
  return path !== undefined && /^\/(?!\/)[^\p{Cc}\\]*$/u.test(path);
}

/** destination is where to go on to, as the console's router knows it; a provider's redirect brings the whole path. */
function destination(next: string | undefined): string {
  const path = next?.startsWith("/console/") ? next.slice("/console".length) : next;
  return inside(path) ? path : "/";
}

/** useProceed leads to where the person wanted to go before signing in. */
function useProceed() {
  const { next } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  return async () => {
    queries.clear(); // nothing that somebody else has read
    const to = destination(next);
    if (to.startsWith("/docs")) window.location.assign(to);
    else await router.navigate({ href: to });
  };
}

export function SignInPage() {
  const { t } = useTranslation("session");
  useDocumentTitle(`${t("title")} · Tollgate`);
  return (
    <main className={classes.page}>
      <Stack className={classes.box} gap="lg">
        <Stack align="center" gap="xs">
          <Mark size={52} />
          <Title order={1}>{t("title")}</Title>
          <Text c="dimmed">{t("lead")}</Text>
        </Stack>
        <Stack className={`card ${classes.card}`} gap="md">
          <Ways />
        </Stack>
        <Text size="sm" c="dimmed" ta="center">
          {t("lost")}
        </Text>
        <Languages />
      </Stack>
    </main>
  );
}

/** Ways are how one signs in; after a password that does not suffice, the second factor. */
function Ways() {
  const { t } = useTranslation("session");
  const { error, second_factor } = route.useSearch();
  const [asked, setAsked] = useState<Problem | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    if (second_factor) pendingFactor().then(setAsked, setFailure);
  }, [second_factor]);
  if (asked) return <SecondFactor asked={asked} back={() => setAsked(null)} />;
  return (
    <>
      {error && (
        // Anybody can write such an address, so the text is shown as a report and not as our own words.
        <Alert color="red" title={t("providerFailed")}>
          {error.slice(0, 300)}
        </Alert>
      )}
      {failure !== null && <ProblemAlert error={failure} />}
      <AllWays ask={setAsked} />
    </>
  );
}

/** AllWays are the gateway's own and the providers; where only those are open, the own ones wait for the super admin. */
function AllWays({ ask }: { ask: (problem: Problem) => void }) {
  const { t } = useTranslation("session");
  const { data: ways, isPending } = useQuery(waysQuery);
  const [own, setOwn] = useState(false);
  if (isPending) return null;
  if (ways?.ssoOnly && !own)
    return (
      <>
        <Providers list={ways.providers} />
        <Button variant="subtle" size="compact-sm" onClick={() => setOwn(true)}>
          {t("superOnly")}
        </Button>
      </>
    );
  return (
    <>
      <PasswordForm ask={ask} />
      <Passkey />
      {ways && ways.providers.length > 0 && (
        <>
          <Divider label={t("or")} />
          <Providers list={ways.providers} />
        </>
      )}
    </>
  );
}

function PasswordForm({ ask }: { ask: (problem: Problem) => void }) {
  const { t } = useTranslation("session");
  const proceed = useProceed();
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({ initialValues: { username: "", password: "" } });
  const send = async ({ username, password }: typeof form.values) => {
    setBusy(true);
    setFailure(null);
    try {
      await signIn(username, password);
      await proceed();
    } catch (error) {
      const problem = problemOf(error);
      if (problem?.login_token) ask(problem);
      else setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={form.onSubmit(send)}>
      <Stack>
        <TextInput
          label={t("username")}
          autoComplete="username webauthn"
          autoCapitalize="none"
          required
          autoFocus
          {...form.getInputProps("username")}
        />
        <PasswordInput label={t("password")} autoComplete="current-password" required {...form.getInputProps("password")} />
        {failure !== null && <ProblemAlert error={failure} />}
        <Button type="submit" loading={busy} fullWidth>
          {t("submit")}
        </Button>
      </Stack>
    </form>
  );
}

/** SecondFactor asks for a code or a passkey of an account whose password was right. */
function SecondFactor({ asked, back }: { asked: Problem; back: () => void }) {
  const { t } = useTranslation("session");
  const proceed = useProceed();
  const [code, setCode] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const login_token = asked.login_token ?? "";
  const finish = async (proof: () => Promise<{ code?: string; credential?: unknown }>) => {
    setBusy(true);
    setFailure(null);
    try {
      await secondFactor({ login_token, ...(await proof()) });
      await proceed();
    } catch (error) {
      if (!(error instanceof DOMException)) setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const factors = asked.factors ?? [];
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void finish(async () => ({ code: code.trim() }));
      }}
    >
      <Stack>
        <Title order={2}>{t("factorTitle")}</Title>
        {factors.some((f) => f !== "passkey") && (
          <>
            <Text size="sm" c="dimmed">
              {t("factorLead")}
            </Text>
            <TextInput
              label={t("code")}
              autoComplete="one-time-code"
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              autoFocus
            />
          </>
        )}
        {failure !== null && <ProblemAlert error={failure} />}
        {factors.some((f) => f !== "passkey") && (
          <Button type="submit" loading={busy} fullWidth>
            {t("submit")}
          </Button>
        )}
        {factors.includes("passkey") && passkeysKnown() && (
          <Button
            variant="default"
            fullWidth
            leftSection={<IconFingerprint size={18} aria-hidden />}
            onClick={() => void finish(async () => ({ credential: await showPasskey({ token: "", options: asked.passkey }) }))}
          >
            {t("passkey")}
          </Button>
        )}
        <Button variant="subtle" onClick={back}>
          {t("back")}
        </Button>
      </Stack>
    </form>
  );
}

/** Passkey signs in without a password. */
function Passkey() {
  const { t } = useTranslation("session");
  const proceed = useProceed();
  const [failure, setFailure] = useState<unknown>(null);
  if (!passkeysKnown()) return null;
  const send = async () => {
    setFailure(null);
    try {
      await signInWithPasskey();
      await proceed();
    } catch (error) {
      if (!(error instanceof DOMException)) setFailure(error);
    }
  };
  return (
    <>
      <Button variant="default" fullWidth leftSection={<IconFingerprint size={18} aria-hidden />} onClick={() => void send()}>
        {t("passkey")}
      </Button>
      {failure !== null && <ProblemAlert error={failure} />}
    </>
  );
}

/** Providers are the other ways in; they lead back to where the person wanted to go. */
function Providers({ list }: { list: SignInProvider[] }) {
  const { next } = route.useSearch();
  const path = destination(next);
  return <ProviderLinks list={list} to={path.startsWith("/docs") ? path : `/console${path}`} />;
}

function Languages() {
  const { i18n } = useTranslation();
  return (
    <Group justify="center">
      {(Object.keys(languages) as Language[])
        .filter((language) => language !== i18n.language)
        .map((language) => (
          <Anchor
            key={language}
            component="button"
            type="button"
            size="sm"
            lang={language}
            onClick={() => void switchLanguage(language)}
          >
            {languages[language]}
          </Anchor>
        ))}
    </Group>
  );
}
