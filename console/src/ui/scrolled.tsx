import { Table } from "@mantine/core";
import type { ReactNode } from "react";

interface ScrolledProps {
  /** What is in it, to screen readers; left out where what stands above says it. */
  label?: string;
  /** Below this width, in pixels, what is in it is scrolled. */
  minWidth: number;
  /** Above this height, in pixels, too; left out = never. */
  maxHeight?: number;
  children: ReactNode;
}

/** Scrolled is a table with more than there may be room for; it is scrolled with the keyboard too. */
export function Scrolled({ label, minWidth, maxHeight, children }: ScrolledProps) {
  const viewportProps = { tabIndex: 0, ...(label && { role: "region", "aria-label": label }) };
  return (
    <Table.ScrollContainer minWidth={minWidth} maxHeight={maxHeight} scrollAreaProps={{ viewportProps }}>
      {children}
    </Table.ScrollContainer>
  );
}
