import { IconTags } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/prices",
    title: { en: "Prices", zh: "价格" },
    icon: IconTags,
    group: "administration",
    order: 40,
    keywords: "price book versions re-rate cost",
  },
] satisfies NavEntry[];
