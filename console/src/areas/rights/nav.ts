import { IconShieldCheck } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/rights",
    title: { en: "My rights", zh: "我的权限" },
    icon: IconShieldCheck,
    group: "you",
    order: 65,
    keywords: "permissions limits budgets why allowed refused",
  },
] satisfies NavEntry[];
