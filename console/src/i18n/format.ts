import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { localeOf } from "./index";

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Number.POSITIVE_INFINITY],
];

/** formats says numbers, money and times the way a language does. */
export function formats(language: string) {
  const locale = localeOf(language);
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const when = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: "UTC" });
  const hour = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const dayHour = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", hour: "2-digit" });
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  return {
    /** 1234567 → 1,234,567 */
    number: (n: number) => whole.format(n),
    /** 1234567 → 1.2M, for tokens and counts at a glance */
    tokens: (n: number) => (Math.abs(n) < 10_000 ? whole.format(n) : short.format(n)),
    percent: (n: number) => share.format(n),
    /** US dollars: cents, and as many more digits as a small amount needs (at most 9) */
    money: (dollars: number) => money(locale, dollars),
    /** milliseconds → 850 ms, 1.2 s, 3 min 5 s */
    duration: (ms: number) => duration(locale, ms),
    absolute: (time: string | Date) => when.format(new Date(time)),
    /** a day that the server names in UTC, 2026-11-25 */
    day: (date: string) => day.format(new Date(`${date.slice(0, 10)}T00:00:00Z`)),
    /** a point of a plot: the time of day, or with the day in front */
    moment: (time: string, short: boolean) => (short ? hour : dayHour).format(new Date(time)),
    /** in words, from now: 3 minutes ago, in 2 days */
    relative: (time: string | Date, now = Date.now()) => relative(ago, new Date(time).getTime() - now),
  };
}

function money(locale: string, dollars: number): string {
  const size = Math.abs(dollars);
  const digits = size === 0 || size >= 0.1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(size)));
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.max(2, digits),
  }).format(dollars);
}

function duration(locale: string, ms: number): string {
  const say = (n: number, unit: string, digits = 0) =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits }).format(n);
  if (ms < 1000) return say(ms, "millisecond");
  if (ms < 60_000) return say(ms / 1000, "second", 1);
  const seconds = Math.round(ms / 1000);
  return [say(Math.floor(seconds / 60), "minute"), seconds % 60 ? say(seconds % 60, "second") : ""].filter(Boolean).join(" ");
}

function relative(ago: Intl.RelativeTimeFormat, ms: number): string {
  let n = ms / 1000;
  for (const [unit, size] of steps) {
    if (Math.abs(n) < size) return ago.format(Math.trunc(n), unit);
    n /= size;
  }
  return "";
}

/** useFormat is formats in the language that is shown. */
export function useFormat() {
  const { i18n } = useTranslation();
  return useMemo(() => formats(i18n.language), [i18n.language]);
}
