import { IconBell } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/alarms",
    title: { en: "Alarms", zh: "警报" },
    icon: IconBell,
    group: "administration",
    order: 60,
    keywords: "budget threshold webhook unpriced overrun",
  },
] satisfies NavEntry[];
