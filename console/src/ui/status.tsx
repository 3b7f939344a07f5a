import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";

type Tone = "good" | "bad" | "warn" | "quiet" | "info";

const colours: Record<Tone, string> = { good: "green", bad: "red", warn: "orange", quiet: "gray", info: "pine" };

/** Status is a word in the colour of its meaning; the word alone is enough. */
export function Status({ tone, children }: { tone: Tone; children: string }) {
  return <Badge color={colours[tone]}>{children}</Badge>;
}

/** Enabled is the status of what can be switched on and off. */
export function Enabled({ enabled }: { enabled: boolean }) {
  const { t } = useTranslation("common");
  return <Status tone={enabled ? "good" : "quiet"}>{enabled ? t("enabled") : t("disabled")}</Status>;
}

/** HttpStatus is the status code of a request; broken says what broke off an answer that had begun well. */
export function HttpStatus({ code, broken }: { code: number; broken?: string }) {
  if (broken && code < 400) return <Status tone="bad">{`${code} · ${broken}`}</Status>;
  return <Status tone={code < 400 ? "good" : code < 500 ? "warn" : "bad"}>{String(code)}</Status>;
}
