import { IconLogin2 } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/sign-in-providers",
    title: { en: "Sign-in providers", zh: "登录供应商" },
    icon: IconLogin2,
    group: "administration",
    order: 26,
    keywords: "sso single sign-on oidc github google saml identity",
  },
] satisfies NavEntry[];
