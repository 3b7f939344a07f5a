import { Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Scrolled } from "./scrolled";

/** Head is what stands over a column; wide columns are left out on small screens, those of numbers end at the right. */
export interface Head {
  text: string;
  wide?: boolean;
  end?: boolean;
}

interface SmallTableProps {
  /** What the table is of, where no heading says it. */
  label?: string;
  heads: (string | Head)[];
  rows: { key: string; cells: ReactNode[] }[];
}

/** SmallTable shows the few rows of a card, all of them; a wide one is scrolled within it. Longer lists are a DataTable. */
export function SmallTable({ label, heads, rows }: SmallTableProps) {
  const columns = heads.map((head): Head => (typeof head === "string" ? { text: head } : head));
  const looks = ({ wide, end }: Head = { text: "" }) => ({
    visibleFrom: wide ? "sm" : undefined,
    ta: end ? ("end" as const) : undefined,
  });
  return (
    <Scrolled label={label} minWidth={columns.some(({ wide }) => wide) ? 0 : 420}>
      <Table aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.text} scope="col" {...looks(column)}>
                {column.text}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ key, cells }) => (
            <Table.Tr key={key}>
              {cells.map((cell, i) => (
                <Table.Td key={columns[i]?.text} className="tabular" {...looks(columns[i])}>
                  {cell}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scrolled>
  );
}

/** Nothing says that a card has no rows, and what that means. */
export function Nothing({ children }: { children: string }) {
  return (
    <Text c="dimmed" size="sm">
      {children}
    </Text>
  );
}
