import { IconUsers } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/users",
    title: { en: "Users", zh: "用户" },
    icon: IconUsers,
    group: "administration",
    order: 20,
    shortcut: "g u",
    keywords: "accounts people",
  },
] satisfies NavEntry[];
