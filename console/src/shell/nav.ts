import type { Icon } from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { Me } from "@/api/types";
import type { Language } from "@/i18n";

/** NavEntry is a page in the navigation and the command palette. */
export interface NavEntry {
  to: NonNullable<LinkProps["to"]>;
  title: Record<Language, string>;
  icon: Icon;
  group: "you" | "administration";
  /** Whom the page is for, if not everybody of the group. */
  only?: "team-admin";
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

/** leads reports whether somebody is an admin of a team. */
export function leads(me: Me): boolean {
  return me.team_id !== null && me.team_role === "admin";
}

/** navEntries are those that a person may open. */
export function navEntries(me: Me): NavEntry[] {
  return entries.filter((entry) => (me.is_admin || entry.group !== "administration") && (entry.only === undefined || leads(me)));
}
