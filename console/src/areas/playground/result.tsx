import { Alert, Anchor, Group, Loader, Stack, Tabs, Text } from "@mantine/core";
import { IconFlask } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { post } from "@/api/action";
import { useFormat } from "@/i18n/format";
import { CodeBlock } from "@/ui/code";
import { Copy } from "@/ui/copy";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Money } from "@/ui/money";
import { ProblemAlert } from "@/ui/problem";
import { HttpStatus } from "@/ui/status";
import type { Call } from "./call";
import { type Ask, curlOf, shown, wireOf } from "./request";

/** Result is what came of a call: to read, and as it went over the wire. */
export function Result({ ask, call }: { ask: Ask | null; call: Call | null }) {
  const { t } = useTranslation("playground");
  const wire = useMemo(() => ask && wireOf(ask), [ask]);
  if (!ask || !wire || !call)
    return (
      <Empty icon={IconFlask} title={t("emptyTitle")}>
        {t("emptyBody")}
      </Empty>
    );
  const head = Object.entries({ "content-type": "application/json", ...wire.headers }).map((pair) => pair.join(": "));
  return (
    <Stack gap="md">
      {call.failure !== null && <ProblemAlert error={call.failure} />}
      <Tabs defaultValue="answer">
        <Tabs.List mb="md">
          <Tabs.Tab value="answer">{t("answer")}</Tabs.Tab>
          <Tabs.Tab value="request">{t("request")}</Tabs.Tab>
          <Tabs.Tab value="response">{t("response")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="answer">
          <AnswerText call={call} />
        </Tabs.Panel>
        <Tabs.Panel value="request">
          <Stack gap="sm">
            <CodeBlock text={[`POST ${wire.path}`, ...head].join("\n")} label={t("request")} />
            <CodeBlock text={shown(wire.body)} label={t("requestBody")} />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="response">
          <Stack gap="sm">
            <CodeBlock text={`${call.status}\n${call.headers}`} label={t("responseHead")} />
            <CodeBlock text={readable(call.raw)} label={t("responseBody")} />
          </Stack>
        </Tabs.Panel>
      </Tabs>
      <Figures call={call} />
      <Group>
        <Copy value={curlOf(window.location.origin, ask, wire)} label={t("curl")} />
      </Group>
    </Stack>
  );
}

function AnswerText({ call: { answer, running, status } }: { call: Call }) {
  const { t } = useTranslation("playground");
  const nothing = !answer.text && answer.calls.length === 0 && !answer.error;
  return (
    <Stack gap="sm" aria-live="polite" aria-busy={running}>
      {answer.error && (
        <Alert color="red" title={t("refused")}>
          {answer.error}
        </Alert>
      )}
      {answer.text && <Text className="pre">{answer.text}</Text>}
      {answer.calls.map((call, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: calls are only ever added
        <Stack key={i} gap={4}>
          <Text fw={600}>{t("calls", { name: call.name })}</Text>
          <CodeBlock text={call.arguments} label={call.name} />
        </Stack>
      ))}
      {nothing && running && (
        <Text c="dimmed">
          <Loader type="dots" size="xs" component="span" /> {t("waiting")}
        </Text>
      )}
      {nothing && !running && status !== 0 && <Text c="dimmed">{t("noText")}</Text>}
    </Stack>
  );
}

/** Figures are what the gateway's own record says of the call, once it has ended. */
function Figures({ call }: { call: Call }) {
  const { t } = useTranslation("playground");
  const format = useFormat();
  const { data: r, error } = useQuery({
    queryKey: ["post", "/user/requests/get", call.requestId],
    queryFn: () => post("/user/requests/get", { id: call.requestId }),
    enabled: !call.running && call.requestId !== "",
    retry: 5, // a call that was stopped is settled a moment later
    retryDelay: 500,
  });
  const pending: ReactNode = call.running ? t("running") : error ? "–" : t("settling");
  const known = (value: () => ReactNode) => (r ? value() : pending);
  const losses = r?.losses ?? [];
  return (
    <Facts
      facts={[
        [t("status"), call.status ? <HttpStatus key="s" code={call.status} /> : pending],
        [
          t("tokens"),
          known(() =>
            t("tokensOf", {
              input: format.number(
                (r?.input_tokens ?? 0) + (r?.cache_read_input_tokens ?? 0) + (r?.cache_creation_input_tokens ?? 0),
              ),
              output: format.number(r?.output_tokens ?? 0),
            }),
          ),
        ],
        [t("cost"), known(() => <Money dollars={r?.cost ?? 0} />)],
        [t("latency"), known(() => format.duration(r?.latency_ms ?? 0))],
        [t("firstToken"), known(() => (r?.first_token_ms ? format.duration(r.first_token_ms) : "–"))],
        ...(losses.length > 0 ? ([[t("losses"), losses.join(", ")]] as [string, ReactNode][]) : []),
        [
          t("id"),
          call.requestId ? (
            <Anchor
              key="id"
              size="sm"
              renderRoot={(props) => <Link to="/requests/$id" params={{ id: call.requestId }} {...props} />}
            >
              {call.requestId}
            </Anchor>
          ) : (
            pending
          ),
        ],
      ]}
    />
  );
}

/** readable is a body as it came, JSON on many lines. */
function readable(raw: string): string {
  try {
    return shown(JSON.parse(raw));
  } catch {
    return raw; // a stream of events
  }
}
