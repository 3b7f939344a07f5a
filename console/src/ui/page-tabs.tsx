import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";

interface PageTabsProps<T extends string> {
  /** The tabs in order; which one is open is in the page's address. */
  tabs: readonly T[];
  tab: T;
  name: (tab: T) => string;
  open: (tab: T) => void;
  /** What each tab shows; only the open one is made. */
  panels: Record<T, ReactNode>;
}

/** PageTabs are the parts of a page. */
export function PageTabs<T extends string>({ tabs, tab, name, open, panels }: PageTabsProps<T>) {
  return (
    <Tabs value={tab} onChange={(next) => open(tabs.find((known) => known === next) ?? tab)} keepMounted={false}>
      <Tabs.List mb="lg">
        {tabs.map((known) => (
          <Tabs.Tab key={known} value={known}>
            {name(known)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map((known) => (
        <Tabs.Panel key={known} value={known}>
          {panels[known]}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
