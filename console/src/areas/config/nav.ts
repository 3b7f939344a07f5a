import { IconFileCode } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/config",
    title: { en: "Configuration", zh: "配置" },
    icon: IconFileCode,
    group: "administration",
    order: 85,
    shortcut: "g c",
    keywords: "toml export import plan apply history versions rollback sync folder webdav gist git",
  },
] satisfies NavEntry[];
