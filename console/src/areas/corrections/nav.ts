import { IconReceiptRefund } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/admin/corrections",
    title: { en: "Corrections", zh: "更正" },
    icon: IconReceiptRefund,
    group: "administration",
    order: 42,
    keywords: "re-ratings adjustments balances ledger money refund",
  },
] satisfies NavEntry[];
