import type { Icon } from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { Language } from "@/i18n";

/** NavEntry is a page in the navigation and the command palette. */
export interface NavEntry {
  to: NonNullable<LinkProps["to"]>;
  title: Record<Language, string>;
  icon: Icon;
  group: "you" | "administration";
  /** Place in its group: 10, 20, … leave room. */
  order: number;
  /** Two keys one after the other, "g k". */
  shortcut?: string;
  /** Words that find it in the palette, beside its title. */
  keywords?: string;
}

// Every area declares its entries in areas/NAME/nav.ts.
const declared = import.meta.glob<NavEntry[]>("../areas/*/nav.ts", { eager: true, import: "default" });

const entries = Object.values(declared)
  .flat()
  .sort((a, b) => a.order - b.order);

/** navEntries are those that a person may open. */
export function navEntries(isAdmin: boolean): NavEntry[] {
  return entries.filter((entry) => isAdmin || entry.group !== "administration");
}
