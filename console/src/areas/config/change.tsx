import { Alert, Button, Group, PasswordInput, Stack, Switch, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { Link, useBlocker } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { statusOf } from "@/api/problem";
import type { Answer } from "@/api/types";
import { confirm } from "@/ui/confirm";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Working } from "@/ui/working";
import classes from "./config.module.css";
import { DocumentField } from "./document";
import { countOf, type Plan, PlanView } from "./plan-view";

/** What an applied document makes old: nearly everything. */
export const everything = ["/admin/", "/user/"];
const encrypted = "-----BEGIN AGE ENCRYPTED FILE-----";

/** Change takes a document, shows what it would change, and applies it. */
export function Change() {
  const { t } = useTranslation("config");
  const { t: common } = useTranslation("common");
  const [toml, setToml] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [prune, setPrune] = useState(false);
  const [plan, setPlan] = useState<Plan | null>(null);
  const [done, setDone] = useState<Answer<"/admin/config/apply"> | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const look = useAction("/admin/config/plan", { stale: [], quiet: true });
  const fill = useAction("/admin/config/export-toml", { stale: [] });
  useBlocker({
    shouldBlockFn: async () =>
      toml !== "" &&
      !(await confirm({
        title: common("discardTitle"),
        body: common("discardBody"),
        confirm: common("discard"),
        cancel: common("keepEditing"),
        danger: true,
      })),
    enableBeforeUnload: () => toml !== "",
  });
  const locked = toml.trimStart().startsWith(encrypted);
  const document = { toml, prune, ...(locked && { passphrase }) };
  /** Whatever is changed of it, the plan is of another document. */
  const anew = () => {
    setPlan(null);
    setFailure(null);
    setDone(null);
  };
  const change = (text: string) => {
    anew();
    setToml(text);
  };
  const show = async () => {
    anew();
    await look.mutateAsync(document).then((answer) => setPlan(answer), setFailure);
  };
  const applied = (answer: Answer<"/admin/config/apply">) => {
    change("");
    setPassphrase("");
    setPrune(false);
    setDone(answer);
  };
  return (
    <Stack gap="lg">
      {done && <Done done={done} />}
      <Card>
        <DocumentField
          value={toml}
          onChange={change}
          fill={() => fill.mutate({}, { onSuccess: (answer) => change(answer.toml) })}
          filling={fill.isPending}
          failure={failure}
        />
        {locked && (
          <PasswordInput
            label={t("passphrase")}
            description={t("passphraseHint")}
            value={passphrase}
            onChange={(event) => {
              anew();
              setPassphrase(event.currentTarget.value);
            }}
            autoComplete="off"
            maw={420}
          />
        )}
        <Switch
          label={t("prune")}
          description={t("pruneHint")}
          checked={prune}
          onChange={(event) => {
            anew();
            setPrune(event.currentTarget.checked);
          }}
        />
        {look.isPending && <Working label={t("planning")} />}
        <Group justify="flex-end">
          <Button onClick={() => void show()} disabled={toml.trim() === ""} loading={look.isPending}>
            {t("plan")}
          </Button>
        </Group>
      </Card>
      {plan && <Planned plan={plan} document={document} again={show} applied={applied} />}
    </Stack>
  );
}

interface PlannedProps {
  plan: Plan;
  document: { toml: string; prune: boolean; passphrase?: string };
  again: () => Promise<void>;
  applied: (answer: Answer<"/admin/config/apply">) => void;
}

/** Planned is what would change, and the way to do it. */
function Planned({ plan, document, again, applied }: PlannedProps) {
  const { t } = useTranslation("config");
  const apply = useAction("/admin/config/apply", { stale: everything, quiet: true });
  const sure = useSure();
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => {
    void top.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const { all } = countOf(plan);
  const go = async () => {
    if (await sure(plan)) apply.mutate({ ...document, token: plan.token ?? "" }, { onSuccess: applied });
  };
  return (
    <div ref={top} className={classes.planned}>
      <Card title={t("wouldChange")}>
        <PlanView plan={plan} />
        {apply.isPending && <Working label={t("applying")} />}
        {apply.error && (
          <ProblemAlert error={apply.error} {...(statusOf(apply.error) === 409 && { retry: again, title: t("moved") })} />
        )}
        {all > 0 && (
          <Group justify="flex-end" align="center">
            <Text size="sm" c="dimmed">
              {t("allOrNothing")}
            </Text>
            <Button onClick={() => void go()} loading={apply.isPending} disabled={(plan.problems ?? []).length > 0}>
              {t("apply", { count: all })}
            </Button>
          </Group>
        )}
      </Card>
    </div>
  );
}

/** useSure asks before a plan is applied; in red when something is deleted. */
export function useSure() {
  const { t } = useTranslation("config");
  return (plan: Plan) => {
    const count = countOf(plan);
    return confirm({
      title: t("applyTitle", { count: count.all }),
      body: count.delete > 0 ? t("applyDeletes", { count: count.delete }) : t("applyBody"),
      confirm: t("applyConfirm"),
      danger: count.delete > 0,
    });
  };
}

function Done({ done }: { done: Answer<"/admin/config/apply"> }) {
  const { t } = useTranslation("config");
  const { create, update, delete: gone } = countOf(done);
  const bare = done.need_secret ?? [];
  return (
    <Alert color="pine" icon={<IconCircleCheck aria-hidden />} title={t("applied")} role="status">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{t("appliedBody", { create, update, gone })}</Text>
        {bare.length > 0 && <Text size="sm">{t("appliedBare", { names: bare.join(", ") })}</Text>}
        {done.id > 0 && (
          <Button
            size="xs"
            variant="default"
            renderRoot={(props) => <Link to="/admin/config/$version" params={{ version: String(done.id) }} {...props} />}
          >
            {t("showVersion", { id: done.id })}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
