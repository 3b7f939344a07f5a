import { IconLayoutDashboard } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/overview",
    title: { en: "Overview", zh: "概览" },
    icon: IconLayoutDashboard,
    group: "administration",
    order: 10,
    shortcut: "g o",
    keywords: "dashboard traffic latency errors",
  },
] satisfies NavEntry[];
