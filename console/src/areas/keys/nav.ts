import { IconKey } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/keys",
    title: { en: "My keys", zh: "我的密钥" },
    icon: IconKey,
    group: "you",
    order: 20,
    shortcut: "g k",
    keywords: "api token",
  },
] satisfies NavEntry[];
