import { IconUsersGroup } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/teams",
    title: { en: "Teams", zh: "团队" },
    icon: IconUsersGroup,
    group: "administration",
    order: 22,
    shortcut: "g t",
    keywords: "groups departments members budget",
  },
] satisfies NavEntry[];
