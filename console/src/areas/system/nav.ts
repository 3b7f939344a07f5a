import { IconServerCog } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/system",
    title: { en: "System", zh: "系统" },
    icon: IconServerCog,
    group: "administration",
    order: 95,
    keywords: "process settings environment flags about version licences health danger reset",
  },
] satisfies NavEntry[];
