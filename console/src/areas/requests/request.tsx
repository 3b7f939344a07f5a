import { Anchor, Breadcrumbs, Button, Code, Group, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconError404 } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { useProviderNames, useUserNames } from "@/api/names";
import { problemOf, statusOf } from "@/api/problem";
import type { Schema } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { CodeBlock } from "@/ui/code";
import { Copy } from "@/ui/copy";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Money } from "@/ui/money";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Scrolled } from "@/ui/scrolled";
import { HttpStatus } from "@/ui/status";
import { Time } from "@/ui/time";
import type { Scope } from "./search";

type Detail = Schema<"RequestDetail">;
type Attempt = Schema<"Attempt">;

/** RequestPage takes one request apart. */
export function RequestPage({ scope }: { scope: Scope }) {
  const { t } = useTranslation("requests");
  const { id = "" } = useParams({ strict: false });
  const path = scope === "admin" ? "/admin/requests/get" : "/user/requests/get";
  const { data, error, refetch } = api.useQuery("post", path, { body: { id } }, { retry: false });
  const back = scope === "admin" ? "/admin/requests" : "/requests";
  if (error && [400, 404].includes(problemOf(error)?.status ?? 0))
    return (
      <>
        <h1 className="sr-only">{t("missingTitle")}</h1>
        <Empty
          icon={IconError404}
          title={t("missingTitle")}
          action={
            <Button component={Link} to={back} variant="default">
              {t("back")}
            </Button>
          }
        >
          {t("missingBody")}
        </Empty>
      </>
    );
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  return (
    <Stack gap="sm">
      <Breadcrumbs>
        <Anchor component={Link} to={back} size="sm">
          {scope === "admin" ? t("titleAll") : t("titleOwn")}
        </Anchor>
        <span>{id}</span>
      </Breadcrumbs>
      <Details scope={scope} request={data as Detail} />
    </Stack>
  );
}

function Details({ scope, request: r }: { scope: Scope; request: Detail }) {
  const { t } = useTranslation("requests");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const nameOf = useUserNames(scope === "admin");
  const lead = (
    <Group gap="xs">
      <Code>{r.id}</Code>
      <Copy value={r.id} />
    </Group>
  );
  const who: [string, ReactNode][] =
    scope === "admin" ? [[t("user"), r.user_id ? nameOf(r.user_id) : r.service ? t("service") : common("none")]] : [];
  const failed: [string, ReactNode][] = [
    ...(r.error_class ? ([[t("errorClass"), r.error_class]] as [string, ReactNode][]) : []),
    ...(r.error_text ? ([[t("error"), r.error_text]] as [string, ReactNode][]) : []),
  ];
  return (
    <Page title={t("detailTitle")} lead={lead}>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title={t("summary")}>
          <Facts
            facts={[
              [t("status"), <HttpStatus key="s" code={r.status} broken={r.error_class} />],
              ...failed,
              [t("time"), <Time key="t" at={r.started_at} />],
              [t("latency"), format.duration(r.latency_ms)],
              [t("firstToken"), r.first_token_ms > 0 ? format.duration(r.first_token_ms) : "–"],
              [t("asked"), r.model || "–"],
              [t("served"), r.served_model || "–"],
              [t("cost"), <Money key="m" dollars={r.cost} />],
              [t("inputTokens"), format.number(r.input_tokens)],
              [t("cacheRead"), format.number(r.cache_read_input_tokens)],
              [t("cacheWrite"), format.number(r.cache_creation_input_tokens)],
              [t("outputTokens"), format.number(r.output_tokens)],
              [t("reasoning"), format.number(r.reasoning_tokens)],
            ]}
          />
        </Card>
        <Card title={t("client")}>
          <Facts
            facts={[
              ...who,
              [t("address"), r.client_ip || "–"],
              [t("agent"), r.user_agent || "–"],
              [t("protocol"), r.dialect],
              [t("operation"), r.operation],
              [t("stream"), r.stream ? t("yes") : t("no")],
              [t("tags"), r.tags || common("none")],
              [t("losses"), r.losses.length > 0 ? r.losses.join(", ") : t("noLosses")],
            ]}
          />
        </Card>
      </SimpleGrid>
      <Kept scope={scope} id={r.id} />
      <Card title={t("attempts")}>
        <Text size="sm" c="dimmed">
          {r.attempts.length > 0 ? t("attemptsLead") : t("noAttempts")}
        </Text>
        {r.attempts.map((attempt) => (
          <AttemptDetails key={attempt.id} scope={scope} attempt={attempt} />
        ))}
      </Card>
    </Page>
  );
}

/** Kept shows the bodies of a request, when the gateway kept them; looking is on record. */
function Kept({ scope, id }: { scope: Scope; id: string }) {
  const { t } = useTranslation("requests");
  const path = scope === "admin" ? "/admin/requests/payload" : "/user/requests/payload";
  const [asked, ask] = useDisclosure();
  const { data, error, isFetching } = api.useQuery(
    "post",
    path as "/admin/requests/payload",
    { body: { id } },
    { enabled: asked, retry: false },
  );
  const kept = data as Schema<"Payload"> | undefined;
  const body = (label: string, b: Schema<"Payload">["request"] | undefined) =>
    b && (
      <>
        <Text fw={600}>{b.truncated ? `${label} (${t("truncated")})` : label}</Text>
        <CodeBlock text={b.text ?? ""} label={label} />
      </>
    );
  return (
    <Card
      title={t("bodies")}
      aside={
        !asked && (
          <Button variant="default" size="sm" onClick={ask.open} loading={isFetching}>
            {t("showBodies")}
          </Button>
        )
      }
    >
      <Text size="sm" c="dimmed">
        {error && statusOf(error) === 404 ? t("noBodies") : t("bodiesLead")}
      </Text>
      {error && statusOf(error) !== 404 ? <ProblemAlert error={error} /> : null}
      {kept && body(t("sent"), kept.request)}
      {kept && body(t("got"), kept.response)}
    </Card>
  );
}

function AttemptDetails({ scope, attempt: a }: { scope: Scope; attempt: Attempt }) {
  const { t } = useTranslation("requests");
  const format = useFormat();
  const providerOf = useProviderNames(scope === "admin");
  return (
    <Stack gap="xs" component="section" aria-label={t("attempt", { number: a.attempt })}>
      <Text fw={600}>{t("attempt", { number: a.attempt })}</Text>
      <Facts
        facts={[
          [t("provider"), scope === "admin" ? providerOf(a.provider_id) : `#${a.provider_id}`],
          [t("credential"), `#${a.credential_id}`],
          [t("model"), a.model],
          [t("status"), a.status > 0 ? <HttpStatus key="s" code={a.status} broken={a.error_class} /> : a.error_class || "–"],
          [t("latency"), format.duration(a.latency_ms)],
          [t("exactness"), a.exactness],
          [t("tier"), a.service_tier || "–"],
          [t("priceVersion"), a.price_version ? `#${a.price_version}` : t("unpriced")],
          [t("cost"), <Money key="m" dollars={a.cost} />],
        ]}
      />
      {a.cost_lines.length > 0 && (
        <Scrolled label={t("costLines")} minWidth={360}>
          <Table aria-label={t("costLines")}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t("kind")}</Table.Th>
                <Table.Th scope="col" ta="end">
                  {t("quantity")}
                </Table.Th>
                <Table.Th scope="col" ta="end">
                  {t("rate")}
                </Table.Th>
                <Table.Th scope="col" ta="end">
                  {t("amount")}
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {a.cost_lines.map((line) => (
                <Table.Tr key={line.kind}>
                  <Table.Th scope="row" fw={400}>
                    {line.kind}
                  </Table.Th>
                  <Table.Td ta="end" className="tabular">
                    {format.number(line.quantity)}
                  </Table.Td>
                  <Table.Td ta="end">
                    <Money dollars={line.rate} />
                  </Table.Td>
                  <Table.Td ta="end">
                    <Money dollars={line.amount} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Scrolled>
      )}
    </Stack>
  );
}
