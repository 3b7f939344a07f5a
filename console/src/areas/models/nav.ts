import { IconCpu } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/models",
    title: { en: "Models", zh: "模型" },
    icon: IconCpu,
    group: "you",
    order: 50,
    shortcut: "g d",
    keywords: "names context limits",
  },
] satisfies NavEntry[];
