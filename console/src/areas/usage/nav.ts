import { IconChartBar, IconReportMoney } from "@tabler/icons-react";
import type { NavEntry } from "@/shell/nav";

export default [
  {
    to: "/usage",
    title: { en: "My usage", zh: "我的用量" },
    icon: IconChartBar,
    group: "you",
    order: 40,
    shortcut: "g m",
    keywords: "cost spend tokens report",
  },
  {
    to: "/admin/usage",
    title: { en: "Usage and cost", zh: "用量与费用" },
    icon: IconReportMoney,
    group: "administration",
    order: 18,
    shortcut: "g c",
    keywords: "spend report csv chargeback",
  },
] satisfies NavEntry[];
