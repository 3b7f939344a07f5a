import { IconArrowsShuffle } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/aliases",
    title: { en: "Model aliases", zh: "模型别名" },
    icon: IconArrowsShuffle,
    group: "administration",
    order: 35,
    keywords: "names models target rename",
  },
] satisfies NavEntry[];
