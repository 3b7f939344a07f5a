import { Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconGauge, IconKey, IconShieldOff } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Answer, Quota } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { type Column, DataTable } from "@/ui/data-table";
import { Empty } from "@/ui/empty";
import { Facts } from "@/ui/facts";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { QuotaBar } from "@/ui/quota";
import { Status } from "@/ui/status";

type Effective = Answer<"/user/effective">;
type Permission = NonNullable<Effective["permissions"]>[number];
type Limit = NonNullable<Effective["rate_limits"]>[number];
type Bounds = NonNullable<Effective["keys"]>[number];

const whole = { error: null, isPending: false, isFetching: false, hasMore: false, loadMore: () => {}, refetch: () => {} };

/** RightsPage says what one may do, and where each right comes from. */
export function RightsPage() {
  const { t } = useTranslation("rights");
  const { data, error, refetch } = api.useQuery("post", "/user/effective", { body: {} });
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const rights = data as Effective;
  const ask = (
    <Button variant="default" renderRoot={(props) => <Link to="/asks" {...props} />}>
      {t("ask")}
    </Button>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={ask}>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card title={t("who")}>
          <Facts
            facts={[
              [t("role"), t(`roles.${rights.role}`)],
              [
                t("team"),
                rights.team
                  ? `${rights.team}${rights.team_role ? ` · ${t(`teamRoles.${rights.team_role}` as "teamRoles.admin")}` : ""}`
                  : t("noTeam"),
              ],
            ]}
          />
        </Card>
        <Budgets quotas={(rights.quotas ?? []) as Quota[]} />
      </SimpleGrid>
      <Section title={t("models")} lead={t("modelsLead")}>
        <Permissions label={t("models")} rows={rights.permissions ?? []} />
      </Section>
      {(rights.file_permissions ?? []).length > 0 && (
        <Section title={t("files")} lead={t("filesLead")}>
          <Permissions label={t("files")} rows={rights.file_permissions ?? []} />
        </Section>
      )}
      <Section title={t("limits")} lead={t("limitsLead")}>
        <Limits rows={rights.rate_limits ?? []} />
      </Section>
      <Section title={t("keys")} lead={t("keysLead")}>
        <Keys rows={rights.keys ?? []} />
      </Section>
    </Page>
  );
}

function Section({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <Stack gap="sm">
      <div>
        <Text component="h2" fw={620} fz="1.0625rem">
          {title}
        </Text>
        <Text size="sm" c="dimmed">
          {lead}
        </Text>
      </div>
      {children}
    </Stack>
  );
}

function Budgets({ quotas }: { quotas: Quota[] }) {
  const { t } = useTranslation("rights");
  return (
    <Card title={t("budgets")}>
      {quotas.length === 0 && (
        <Text size="sm" c="dimmed">
          {t("noBudgets")}
        </Text>
      )}
      {quotas.map((q) => (
        <QuotaBar
          key={`${q.scope} ${q.key_id} ${q.team_id} ${q.window}`}
          quota={q}
          name={`${t(`scopes.${q.scope}`)}${q.key_id ? ` #${q.key_id}` : ""}, ${t(`windows.${q.window}`)}`}
          resets={t("resets")}
        />
      ))}
    </Card>
  );
}

function Permissions({ label, rows }: { label: string; rows: Permission[] }) {
  const { t } = useTranslation("rights");
  const columns: Column<Permission>[] = [
    { id: "pattern", header: t("pattern"), cell: (p) => <span className="mono">{p.model_pattern}</span> },
    { id: "provider", header: t("provider"), cell: (p) => (p.provider_id === null ? t("every") : p.provider) },
    {
      id: "source",
      header: t("from"),
      cell: (p) => <Status tone={p.source === "permission" ? "info" : "quiet"}>{t(`sources.${p.source}`)}</Status>,
    },
  ];
  return (
    <DataTable
      label={label}
      columns={columns}
      list={{ ...whole, rows }}
      rowId={(p) => `${p.source} ${p.source_id} ${p.provider} ${p.model_pattern}`}
      empty={
        <Empty icon={IconShieldOff} title={t("nothing")}>
          {t("nothingBody")}
        </Empty>
      }
    />
  );
}

function Limits({ rows }: { rows: Limit[] }) {
  const { t } = useTranslation("rights");
  const format = useFormat();
  const number = (n: number | null) => (n === null ? "–" : format.number(n));
  const columns: Column<Limit>[] = [
    { id: "scope", header: t("whose"), cell: (l) => `${t(`scopes.${l.scope}`)}${l.key_id ? ` #${l.key_id}` : ""}` },
    { id: "pattern", header: t("pattern"), cell: (l) => <span className="mono">{l.model_pattern}</span> },
    { id: "rpm", header: t("rpm"), align: "end", cell: (l) => number(l.rpm) },
    { id: "rpd", header: t("rpd"), align: "end", from: "wide", cell: (l) => number(l.rpd) },
    { id: "tokens", header: t("tokens"), align: "end", from: "wide", cell: (l) => number(l.total_tokens) },
    { id: "concurrency", header: t("concurrency"), align: "end", from: "wide", cell: (l) => number(l.concurrency) },
  ];
  return (
    <DataTable
      label={t("limits")}
      columns={columns}
      list={{ ...whole, rows }}
      rowId={(l) => String(l.id)}
      empty={
        <Empty icon={IconGauge} title={t("noLimits")}>
          {t("noLimitsBody")}
        </Empty>
      }
    />
  );
}

function Keys({ rows }: { rows: Bounds[] }) {
  const { t } = useTranslation("rights");
  const list = (values: string[] | null, all: string) => (values && values.length > 0 ? values.join(", ") : all);
  const columns: Column<Bounds>[] = [
    { id: "label", header: t("key"), cell: (k) => k.label || `#${k.key_id}` },
    { id: "models", header: t("onlyModels"), cell: (k) => list(k.models, t("all")) },
    { id: "addresses", header: t("onlyFrom"), from: "wide", cell: (k) => list(k.ip_allow, t("anywhere")) },
    {
      id: "surfaces",
      header: t("onlyFor"),
      from: "wide",
      cell: (k) => (
        <Group gap={4}>
          {(k.surfaces ?? []).length === 0
            ? t("all")
            : k.surfaces?.map((s) => (
                <Status key={s} tone="quiet">
                  {s}
                </Status>
              ))}
        </Group>
      ),
    },
  ];
  return (
    <DataTable
      label={t("keys")}
      columns={columns}
      list={{ ...whole, rows }}
      rowId={(k) => String(k.key_id)}
      empty={
        <Empty
          icon={IconKey}
          title={t("noKeys")}
          action={<Button renderRoot={(props) => <Link to="/keys" {...props} />}>{t("toKeys")}</Button>}
        >
          {t("noKeysBody")}
        </Empty>
      }
    />
  );
}
