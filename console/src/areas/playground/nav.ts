import { IconFlask } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/playground",
    title: { en: "Playground", zh: "试验场" },
    icon: IconFlask,
    group: "you",
    order: 60,
    shortcut: "g y",
    keywords: "try chat prompt model test curl",
  },
] satisfies NavEntry[];
