import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { statusOf } from "@/api/problem";
import { ProblemAlert } from "@/ui/problem";
import { Working } from "@/ui/working";
import { useSure } from "./change";
import { countOf, type Plan, PlanView } from "./plan-view";

interface PlanDialogProps {
  title: string;
  lead: string;
  opened: boolean;
  close: () => void;
  /** null while it is being made. */
  plan: Plan | null;
  /** Why there is no plan. */
  failure: unknown;
  /** Makes the plan again, when the records have moved under it. */
  again: () => void;
  apply: (token: string) => Promise<unknown>;
  /** What the plan depends on, to be changed before it is applied. */
  children?: ReactNode;
}

/** PlanDialog shows a plan that was made from elsewhere than a typed document, and applies it. */
export function PlanDialog({ title, lead, opened, close, plan, failure, again, apply, children }: PlanDialogProps) {
  const { t } = useTranslation("config");
  const sure = useSure();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const leave = () => {
    if (busy) return;
    setRefused(null);
    close();
  };
  const go = async () => {
    if (!plan || !(await sure(plan))) return;
    setBusy(true);
    setRefused(null);
    try {
      await apply(plan.token ?? "");
      close();
    } catch (error) {
      setRefused(error);
    } finally {
      setBusy(false);
    }
  };
  const anew = () => {
    setRefused(null);
    again();
  };
  const count = plan ? countOf(plan).all : 0;
  return (
    <Modal opened={opened} onClose={leave} title={title} size="xl">
      <Stack>
        <Text size="sm" c="dimmed">
          {lead}
        </Text>
        {children}
        {failure !== null && <ProblemAlert error={failure} retry={anew} />}
        {!plan && failure === null && <Working label={t("planning")} />}
        {plan && <PlanView plan={plan} />}
        {busy && <Working label={t("applying")} />}
        {refused !== null && (
          <ProblemAlert error={refused} {...(statusOf(refused) === 409 && { retry: anew, title: t("moved") })} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={leave} disabled={busy}>
            {t("close")}
          </Button>
          {count > 0 && (
            <Button onClick={() => void go()} loading={busy} disabled={(plan?.problems ?? []).length > 0}>
              {t("apply", { count })}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
