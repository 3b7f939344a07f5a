import { IconHistory } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/audit",
    title: { en: "Audit", zh: "审计" },
    icon: IconHistory,
    group: "administration",
    order: 70,
    keywords: "who changed what history",
  },
] satisfies NavEntry[];
