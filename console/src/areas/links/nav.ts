import { IconMailForward } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/invitations",
    title: { en: "Invitations", zh: "邀请" },
    icon: IconMailForward,
    group: "administration",
    order: 25,
    keywords: "invite link new account",
  },
] satisfies NavEntry[];
