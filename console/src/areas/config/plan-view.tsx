import { Alert, Badge, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconKeyOff } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Answer } from "@/api/types";
import { useFormat } from "@/i18n/format";
import classes from "./config.module.css";

export type Plan = Pick<Answer<"/admin/config/plan">, "changes" | "notes" | "need_secret"> & {
  problems?: string[] | null;
  token?: string;
};
type Change = NonNullable<Plan["changes"]>[number];
type Action = Change["action"];

const actions: Action[] = ["create", "update", "delete", "extra"];
const colours = { create: "green", update: "pine", delete: "red", extra: "gray" } as const;
/** How many changes are drawn at first, and more at a time. */
const step = 100;

/** countOf tells how many records a plan touches, by what becomes of them. */
export function countOf(plan: Plan): Record<Action, number> & { all: number } {
  const count = { create: 0, update: 0, delete: 0, extra: 0 };
  for (const { action } of plan.changes ?? []) count[action]++;
  return { ...count, all: count.create + count.update + count.delete };
}

/** PlanView shows what a document would change, record by record. */
export function PlanView({ plan }: { plan: Plan }) {
  const { t } = useTranslation("config");
  const format = useFormat();
  const count = useMemo(() => countOf(plan), [plan]);
  const [only, setOnly] = useState<string>("all");
  const [shown, setShown] = useState(step);
  const present = actions.filter((action) => count[action] > 0);
  const chosen = (present as string[]).includes(only) ? only : "all";
  const changes = (plan.changes ?? []).filter(({ action }) => (chosen === "all" ? action !== "extra" : action === chosen));
  return (
    <Stack gap="md">
      <Remarks plan={plan} />
      {count.all === 0 && (
        <Alert color="pine" icon={<IconCircleCheck aria-hidden />}>
          {t("nothing")}
        </Alert>
      )}
      {present.length > 0 && (
        <SegmentedControl
          aria-label={t("show")}
          value={chosen}
          onChange={setOnly}
          data={[
            { value: "all", label: `${t("changed")} ${format.number(count.all)}` },
            ...present.map((action) => ({ value: action, label: `${t(`actions.${action}`)} ${format.number(count[action])}` })),
          ]}
          maw="100%"
          style={{ alignSelf: "flex-start", overflowX: "auto" }}
        />
      )}
      {chosen === "extra" && (
        <Text size="sm" c="dimmed">
          {t("extraHint")}
        </Text>
      )}
      {changes.length > 0 && (
        <ul className={classes.changes} aria-label={t("changes")}>
          {changes.slice(0, shown).map((change) => (
            <ChangeRow key={`${change.action} ${change.kind} ${change.name}`} change={change} />
          ))}
        </ul>
      )}
      {changes.length > shown && (
        <Group>
          <Button variant="default" onClick={() => setShown(shown + step)}>
            {t("showMore", { number: format.number(changes.length - shown) })}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** Remarks are what keeps a plan from being applied, and what one should know. */
function Remarks({ plan }: { plan: Plan }) {
  const { t } = useTranslation("config");
  const problems = plan.problems ?? [];
  const notes = plan.notes ?? [];
  const bare = plan.need_secret ?? [];
  return (
    <>
      {problems.length > 0 && (
        <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={t("problems")}>
          <Texts texts={problems} />
        </Alert>
      )}
      {bare.length > 0 && (
        <Alert color="orange" icon={<IconKeyOff aria-hidden />} title={t("needSecret")}>
          <Stack gap="xs">
            <Text size="sm">{t("needSecretBody")}</Text>
            <Texts texts={bare} />
          </Stack>
        </Alert>
      )}
      {notes.length > 0 && (
        <Alert color="gray" title={t("notes")}>
          <Texts texts={notes} />
        </Alert>
      )}
    </>
  );
}

function Texts({ texts }: { texts: string[] }) {
  return (
    <ul className={classes.findings}>
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

function ChangeRow({ change: { action, kind, name, fields } }: { change: Change }) {
  const { t, i18n } = useTranslation("config");
  const kindKey = `kinds.${kind}`;
  const known = i18n.exists(kindKey, { ns: "config" });
  return (
    <li className={classes.change}>
      <Group gap="sm" wrap="nowrap" align="baseline">
        <Badge color={colours[action]} miw={72} style={{ flexShrink: 0 }}>
          {t(`actions.${action}`)}
        </Badge>
        <Text size="sm" style={{ minWidth: 0 }}>
          <Text span inherit c="dimmed">
            {known ? t(kindKey as "kinds.user") : kind}
          </Text>{" "}
          <Text span inherit fw={600}>
            {name}
          </Text>
        </Text>
      </Group>
      {fields && fields.length > 0 && (
        <dl className={classes.values}>
          {fields.map((field) => (
            <Values key={field.name} field={field} created={action === "create"} />
          ))}
        </dl>
      )}
    </li>
  );
}

function Values({ field: f, created }: { field: NonNullable<Change["fields"]>[number]; created: boolean }) {
  const { t } = useTranslation("config");
  return (
    <>
      <dt>{f.name}</dt>
      <dd>
        {f.secret ? (
          <Text size="sm" c="dimmed">
            {t(created ? "secretSet" : "secretAnew")}
          </Text>
        ) : (
          <>
            {!created && (
              <del>
                <span className="sr-only">{t("before")} </span>
                {`− ${shownAs(f.before, t("unset"))}`}
              </del>
            )}
            <ins>
              <span className="sr-only">{t("after")} </span>
              {`+ ${shownAs(f.after, t("unset"))}`}
            </ins>
          </>
        )}
      </dd>
    </>
  );
}

/** shownAs writes a value of any kind for people: lists with commas, records line by line as a document would. */
function shownAs(value: unknown, unset: string): string {
  if (value === null || value === undefined || value === "") return unset;
  if (typeof value === "string") return value;
  if (typeof value !== "object") return String(value);
  const lines = linesOf(value);
  return lines.length === 0 ? unset : lines.length > 1 ? `\n${lines.join("\n")}` : (lines[0] as string);
}

function linesOf(value: object, path = ""): string[] {
  if (Array.isArray(value) && value.every((v) => typeof v !== "object")) {
    const list = value.join(", ");
    return list === "" ? [] : [path ? `${path} = ${list}` : list];
  }
  return Object.entries(value).flatMap(([name, v]) => {
    // A list of one, such as the only tier of a price, needs no number.
    const place = Array.isArray(value) ? (value.length > 1 ? `${path}[${name}]` : path) : path ? `${path}.${name}` : name;
    return v !== null && typeof v === "object" ? linesOf(v, place) : [`${place} = ${v}`];
  });
}
