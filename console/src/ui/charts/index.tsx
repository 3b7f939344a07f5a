import { Button, Skeleton, Stack, Table, Text } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { chartSeries } from "@/theme/theme";
import { Scrolled } from "../scrolled";
import { Bars } from "./bars";

// The chart library is large, so it is loaded when the first chart is shown.
const Drawing = lazy(() => import("./drawing"));

export interface Series {
  /** The field of the rows. */
  key: string;
  label: string;
}

export interface ChartProps {
  /** "bars" is drawn at once, without the chart library of 130 kB, and shows the first series. */
  kind: "area" | "bar" | "line" | "donut" | "bars";
  /** What the chart shows, for everybody who does not see it. */
  label: string;
  /** The field of the rows that names each point, and what it is. */
  by: Series;
  /** A donut shows the first one. */
  series: Series[];
  rows: Record<string, string | number>[];
  format: (value: number) => string;
  formatBy?: (value: string) => string;
  height?: number;
  stacked?: boolean;
}

/** Chart draws rows and offers the same figures as a table. */
export function Chart(props: ChartProps) {
  const { t } = useTranslation("common");
  const [asTable, setAsTable] = useState(false);
  const height = props.height ?? 240;
  if (props.rows.length === 0) {
    return (
      <Text c="dimmed" size="sm" ta="center" py="xl">
        {t("noData")}
      </Text>
    );
  }
  return (
    <Stack gap="xs">
      {asTable ? (
        <Figures {...props} />
      ) : (
        <div role="img" aria-label={props.label}>
          {props.kind === "bars" ? (
            <Bars {...props} height={height} />
          ) : (
            <Suspense fallback={<Skeleton h={height} />}>
              <Drawing {...props} height={height} colours={chartSeries} />
            </Suspense>
          )}
        </div>
      )}
      <Button variant="subtle" size="compact-xs" onClick={() => setAsTable(!asTable)} style={{ alignSelf: "flex-end" }}>
        {asTable ? t("asChart") : t("asTable")}
      </Button>
    </Stack>
  );
}

function Figures({ label, by, series, rows, format, formatBy }: ChartProps) {
  return (
    <Scrolled label={label} minWidth={320} maxHeight={360}>
      <Table aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{by.label}</Table.Th>
            {series.map((s) => (
              <Table.Th key={s.key} scope="col" ta="end">
                {s.label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row[by.key]}>
              <Table.Th scope="row" fw={400}>
                {formatBy ? formatBy(String(row[by.key])) : row[by.key]}
              </Table.Th>
              {series.map((s) => (
                <Table.Td key={s.key} ta="end" className="tabular">
                  {format(Number(row[s.key] ?? 0))}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scrolled>
  );
}
