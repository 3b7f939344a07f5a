import { AreaChart, BarChart, DonutChart, LineChart } from "@mantine/charts";
import "@mantine/charts/styles.css";
import type { ChartProps } from "./index";

/** Drawing is the picture of a chart; loaded apart from the rest. */
export default function Drawing(props: ChartProps & { height: number; colours: string[] }) {
  const { kind, by, series, rows, format, formatBy, height, stacked, colours } = props;
  const colour = (i: number) => colours[i % colours.length] as string;
  if (kind === "donut") {
    const key = series[0]?.key ?? "";
    const slices = rows.map((row, i) => ({
      name: formatBy ? formatBy(String(row[by.key])) : String(row[by.key]),
      value: Number(row[key] ?? 0),
      color: colour(i),
    }));
    return <DonutChart data={slices} h={height} valueFormatter={format} tooltipDataSource="segment" thickness={22} mx="auto" />;
  }
  const common = {
    h: height,
    data: rows,
    dataKey: by.key,
    series: series.map((s, i) => ({ name: s.key, label: s.label, color: colour(i) })),
    valueFormatter: format,
    withLegend: series.length > 1,
    tickLine: "none" as const,
    gridAxis: "x" as const,
    xAxisProps: formatBy && { tickFormatter: (value: string) => formatBy(value) },
    yAxisProps: { width: 64 },
  };
  if (kind === "bar") return <BarChart {...common} type={stacked ? "stacked" : "default"} maxBarWidth={36} />;
  if (kind === "line") return <LineChart {...common} curveType="monotone" withDots={rows.length < 40} />;
  return (
    <AreaChart
      {...common}
      type={stacked ? "stacked" : "default"}
      curveType="monotone"
      withDots={rows.length < 40}
      fillOpacity={0.18}
    />
  );
}
