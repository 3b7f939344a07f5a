import classes from "./bars.module.css";
import type { ChartProps } from "./index";

/** Bars draws the first series without the chart library, for the pages that people open first. */
export function Bars({ by, series, rows, format, formatBy, height }: ChartProps & { height: number }) {
  const key = series[0]?.key ?? "";
  const most = Math.max(...rows.map((row) => Number(row[key] ?? 0)));
  const name = (row: ChartProps["rows"][number] | undefined) => {
    const text = String(row?.[by.key] ?? "");
    return formatBy ? formatBy(text) : text;
  };
  return (
    <div className={classes.frame} style={{ height }}>
      <div className={classes.top}>{format(most)}</div>
      <div className={classes.bars}>
        {rows.map((row) => {
          const value = Number(row[key] ?? 0);
          const share = most > 0 ? value / most : 0;
          return (
            <div
              key={row[by.key]}
              className={classes.bar}
              style={{ height: `${share * 100}%` }}
              title={`${name(row)}: ${format(value)}`}
            />
          );
        })}
      </div>
      <div className={classes.ends}>
        <span>{name(rows[0])}</span>
        <span>{name(rows.at(-1))}</span>
      </div>
    </div>
  );
}
