import { useFormat } from "@/i18n/format";

/** Money shows US dollars with digits that stand under each other. */
export function Money({ dollars }: { dollars: number }) {
  return <span className="tabular">{useFormat().money(dollars)}</span>;
}
