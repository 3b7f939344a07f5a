import { IconPlugConnected } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/providers",
    title: { en: "Providers", zh: "供应商" },
    icon: IconPlugConnected,
    group: "administration",
    order: 30,
    shortcut: "g p",
    keywords: "credentials upstream vendors models",
  },
] satisfies NavEntry[];
