import { IconSettings } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/settings",
    title: { en: "Settings", zh: "设置" },
    icon: IconSettings,
    group: "administration",
    order: 90,
    shortcut: "g s",
    keywords: "sessions second factor",
  },
] satisfies NavEntry[];
