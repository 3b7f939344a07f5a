import { IconBell, IconBellRinging } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/alarms",
    title: { en: "My alarms", zh: "我的警报" },
    icon: IconBellRinging,
    group: "you",
    order: 67,
    keywords: "budgets spent thresholds",
  },
  {
    to: "/admin/alarms",
    title: { en: "Alarms", zh: "警报" },
    icon: IconBell,
    group: "administration",
    order: 60,
    keywords: "budget threshold webhook unpriced overrun",
  },
] satisfies NavEntry[];
