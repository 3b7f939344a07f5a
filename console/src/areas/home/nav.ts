import { IconHome } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  { to: "/", title: { en: "Home", zh: "首页" }, icon: IconHome, group: "you", order: 10, shortcut: "g h" },
] satisfies NavEntry[];
