import { IconHandStop, IconMessageQuestion } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/asks",
    title: { en: "Ask for more", zh: "申请更多" },
    icon: IconHandStop,
    group: "you",
    order: 80,
    keywords: "budget model request",
  },
  {
    to: "/admin/asks",
    title: { en: "Asks", zh: "申请" },
    icon: IconMessageQuestion,
    group: "administration",
    order: 28,
    keywords: "approve decline budget",
  },
] satisfies NavEntry[];
