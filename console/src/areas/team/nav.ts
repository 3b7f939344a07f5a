import { IconUsersGroup } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/team",
    title: { en: "My team", zh: "我的团队" },
    icon: IconUsersGroup,
    group: "you",
    only: "team-admin",
    order: 55,
    shortcut: "g t",
    keywords: "members keys invitations usage",
  },
] satisfies NavEntry[];
