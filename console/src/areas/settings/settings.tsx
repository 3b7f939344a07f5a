import { Button, Group, NumberInput, Switch, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { api } from "@/api/client";
import type { Row } from "@/api/types";
import { useFormat } from "@/i18n/format";
import { confirm } from "@/ui/confirm";
import { type Column, DataTable } from "@/ui/data-table";
import { Card, Page, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { RowMenu } from "@/ui/row-menu";

type Setting = Row<"/admin/settings/query">;

const stale = ["/admin/settings"];

/** The times of sessions with their defaults, in seconds. */
const times = { session_idle_secs: 43_200, session_life_secs: 604_800, session_life_admin_secs: 86_400 } as const;
type Time = keyof typeof times;
const timeNames = Object.keys(times) as Time[];
const known: string[] = [...timeNames, "require_second_factor", "sso_only"];

/** SettingsPage is what is decided for the whole gateway. */
export function SettingsPage() {
  const { t } = useTranslation("settings");
  const { data, error, refetch } = api.useQuery("post", "/admin/settings/query", { body: {} });
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const settings = data as Setting[];
  const kept = (name: string): unknown => settings.find((s) => s.name === name)?.value;
  const others = settings.filter(({ name }) => !known.includes(name));
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Card title={t("signIns")}>
        <Text size="sm" c="dimmed">
          {t("signInsLead")}
        </Text>
        {timeNames.map((name) => (
          <TimeSetting key={`${name} ${kept(name)}`} name={name} value={kept(name)} />
        ))}
        <RequireFactor on={kept("require_second_factor") === true} />
        <SSOOnly on={kept("sso_only") === true} />
      </Card>
      {others.length > 0 && <Others settings={others} />}
    </Page>
  );
}

function useSettings() {
  const { t } = useTranslation("settings");
  const save = useAction("/admin/settings/upsert", { stale, done: t("saved") });
  const reset = useAction("/admin/settings/delete", { stale, done: t("reset") });
  return { save, reset };
}

/** TimeSetting is a time that people think of in hours. */
function TimeSetting({ name, value }: { name: Time; value: unknown }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation("common");
  const format = useFormat();
  const { save, reset } = useSettings();
  const seconds = typeof value === "number" ? value : times[name];
  const [hours, setHours] = useState<number | string>(Math.round(seconds / 36) / 100);
  const wanted = Math.round(Number(hours) * 3600);
  const changed = Math.abs(wanted - seconds) > 36;
  return (
    <Group align="flex-end" gap="sm">
      <NumberInput
        label={t(`names.${name}`)}
        description={t("hours", { number: format.number(seconds / 3600), standard: format.number(times[name] / 3600) })}
        value={hours}
        onChange={setHours}
        suffix={t("hoursUnit")}
        decimalScale={2}
        min={0.02}
        max={2160}
        w={360}
        maw="100%"
      />
      <Button
        variant="default"
        disabled={!changed || hours === ""}
        loading={save.isPending}
        onClick={() => save.mutate({ name, value: wanted })}
      >
        {common("save")}
      </Button>
      {value !== undefined && (
        <Button variant="subtle" onClick={() => reset.mutate({ name })}>
          {t("standard")}
        </Button>
      )}
    </Group>
  );
}

function RequireFactor({ on }: { on: boolean }) {
  const { t } = useTranslation("settings");
  const { save } = useSettings();
  const name = "require_second_factor";
  return (
    <Switch
      label={t(`names.${name}`)}
      description={t("requireHint")}
      checked={on}
      disabled={save.isPending}
      onChange={(event) => save.mutate({ name, value: event.currentTarget.checked })}
    />
  );
}

/** SSOOnly closes every way to sign in but the providers'; asked first, since it ends sessions. */
function SSOOnly({ on }: { on: boolean }) {
  const { t } = useTranslation("settings");
  const { save } = useSettings();
  const name = "sso_only";
  const set = async (value: boolean) => {
    const question = { title: t("ssoOnlyTitle"), body: t("ssoOnlyHint"), confirm: t("ssoOnlyConfirm"), danger: true };
    if (!value || (await confirm(question))) save.mutate({ name, value });
  };
  return (
    <Switch
      label={t(`names.${name}`)}
      description={t("ssoOnlyHint")}
      checked={on}
      disabled={save.isPending}
      onChange={(event) => void set(event.currentTarget.checked)}
    />
  );
}

/** Others are settings that this version does not know; they can be taken away. */
function Others({ settings }: { settings: Setting[] }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation("common");
  const { reset } = useSettings();
  const columns: Column<Setting>[] = [
    { id: "name", header: t("name"), cell: (s) => s.name },
    { id: "value", header: t("value"), cell: (s) => <span className="mono">{JSON.stringify(s.value)}</span> },
    {
      id: "menu",
      header: "",
      label: common("actions"),
      align: "end",
      cell: ({ name }) => (
        <RowMenu name={name} items={[{ label: common("delete"), run: () => reset.mutate({ name }), danger: true }]} />
      ),
    },
  ];
  const rest = { error: null, isPending: false, isFetching: false, hasMore: false, loadMore: () => {}, refetch: () => {} };
  return (
    <Card title={t("others")}>
      <Text size="sm" c="dimmed">
        {t("othersLead")}
      </Text>
      <DataTable label={t("others")} columns={columns} list={{ rows: settings, ...rest }} rowId={(s) => s.name} empty={null} />
    </Card>
  );
}
