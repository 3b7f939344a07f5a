import { IconUserCircle } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/account",
    title: { en: "Account", zh: "账户" },
    icon: IconUserCircle,
    group: "you",
    order: 90,
    shortcut: "g a",
    keywords: "password sessions second factor passkey profile",
  },
] satisfies NavEntry[];
