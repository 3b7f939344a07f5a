import { IconListDetails, IconTimeline } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/requests",
    title: { en: "My requests", zh: "我的请求" },
    icon: IconListDetails,
    group: "you",
    order: 30,
    shortcut: "g r",
    keywords: "calls log history",
  },
  {
    to: "/admin/requests",
    title: { en: "Requests", zh: "请求" },
    icon: IconTimeline,
    group: "administration",
    order: 15,
    shortcut: "g l",
    keywords: "calls log live tail errors",
  },
] satisfies NavEntry[];
