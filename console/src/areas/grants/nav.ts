import { IconLockAccess } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/grants",
    title: { en: "Permissions and limits", zh: "权限与限制" },
    icon: IconLockAccess,
    group: "administration",
    order: 24,
    keywords: "rights quotas budgets rate limits models",
  },
] satisfies NavEntry[];
