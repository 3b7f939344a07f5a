import type { Body } from "@/api/types";

/** A list of prices as the API takes it; entries are left to it to judge. */
export type PriceList = Pick<Body<"/admin/prices/import">, "provider" | "prices" | "models">;

/** Entry is what of an entry can be shown before the server has read it. */
export type Entry = { model_pattern?: string; model_id?: string; provider?: string; prices?: object } & Record<string, unknown>;

/** How many entries the API takes at once. */
const most = 2000;

/** readList makes a list of a text: an object as the API has it, or one of its lists alone. Throws on what is neither. */
export function readList(text: string): PriceList {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value.every((e) => e && "model_id" in e) ? { models: value } : { prices: value };
  if (value && typeof value === "object" && ("prices" in value || "models" in value)) return value as PriceList;
  throw new SyntaxError("neither prices nor models");
}

/** entriesOf is a list's entries in one. */
export function entriesOf(list: PriceList): Entry[] {
  return [...((list.prices ?? []) as Entry[]), ...((list.models ?? []) as Entry[])];
}

/** partsOf divides a list into ones that the API takes. */
export function partsOf({ provider, prices, models }: PriceList): PriceList[] {
  const cut = (name: "prices" | "models", rows: unknown[]) =>
    Array.from({ length: Math.ceil(rows.length / most) }, (_, i) => ({
      ...(provider && { provider }),
      [name]: rows.slice(i * most, (i + 1) * most),
    }));
  const parts = [...cut("prices", prices ?? []), ...cut("models", models ?? [])];
  return (prices?.length ?? 0) + (models?.length ?? 0) <= most ? [{ provider, prices, models }] : parts;
}
