import { Checkbox, Skeleton } from "@mantine/core";
import { IconArrowDown, IconArrowsSort, IconArrowUp } from "@tabler/icons-react";
import { type ColumnDef, type RowSelectionState, rowSelectionFeature, tableFeatures, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Rows } from "@/api/rows";
import { useFormat } from "@/i18n/format";
import classes from "./data-table.module.css";
import { ProblemAlert } from "./problem";

const features = tableFeatures({ rowSelectionFeature });
const rowHeight = 52;

/** How many rows before the end the next ones are asked for. */
const ahead = 60;

/** Column is one column of a table of T. */
export interface Column<T> {
  id: string;
  /** Empty for a column of buttons; it is then named to screen readers by `label`. */
  header: string;
  label?: string;
  cell: (row: T) => ReactNode;
  /** The column's name for the API, if it can be sorted by. */
  sort?: string;
  /** Numbers stand at the end, digits under digits. */
  align?: "end";
  /** The least width of window that shows it: wide = tablet, wider = laptop. */
  from?: "wide" | "wider";
}

export interface DataTableProps<T> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: Column<T>[];
  list: Rows<T>;
  rowId: (row: T) => string;
  /** What a row is called, for its tick box. */
  rowName?: (row: T) => string;
  /** As the API has it: a column, "-" in front for descending. */
  sort?: string;
  onSort?: (sort: string | undefined) => void;
  selected?: RowSelectionState;
  onSelect?: (selected: RowSelectionState) => void;
  /** Rows that may not be selected have a tick box that cannot be ticked. */
  canSelect?: (row: T) => boolean;
  empty: ReactNode;
}

/** DataTable shows a list of any length: it draws the rows in sight and reads on as one scrolls. */
export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { label, columns, list, rowId, rowName, sort, onSort, selected, onSelect, canSelect, empty } = props;
  const { t } = useTranslation("common");
  const frame = useRef<HTMLDivElement>(null);
  const defs = useMemo(
    () =>
      columns.map(
        (c): ColumnDef<typeof features, T> => ({ id: c.id, header: c.header, cell: ({ row }) => c.cell(row.original) }),
      ),
    [columns],
  );
  const { rows, hasMore, loadMore } = list;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= rows.length - ahead) loadMore();
  }, [hasMore, loadMore, last, rows.length]);
  // The table knows the rows in sight alone: what it makes of each row would be made anew for all with every page read.
  const shown = useMemo(() => rows.slice(first, last + 1), [rows, first, last]);
  const table = useTable({
    features,
    columns: defs,
    data: shown,
    getRowId: rowId,
    enableRowSelection: onSelect === undefined ? false : canSelect ? (row) => canSelect(row.original) : true,
    state: { rowSelection: selected ?? {} },
    onRowSelectionChange: (change) => onSelect?.(typeof change === "function" ? change(selected ?? {}) : change),
  });
  const drawn = table.getRowModel().rows;

  if (list.error && rows.length === 0) return <ProblemAlert error={list.error} retry={list.refetch} />;
  if (!list.isPending && rows.length === 0 && !list.hasMore) return <div className="card">{empty}</div>;
  const span = columns.length + (onSelect ? 1 : 0);
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <div className="card">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.frame} ref={frame} tabIndex={0} aria-label={label} aria-busy={list.isPending}>
        <table className={classes.table} aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              {onSelect && (
                <th scope="col" className={classes.tick}>
                  <SelectAll
                    ids={(canSelect ? rows.filter(canSelect) : rows).map(rowId)}
                    selected={selected ?? {}}
                    onSelect={onSelect}
                  />
                </th>
              )}
              {columns.map((c) => (
                <Head key={c.id} column={c} sort={sort} onSort={onSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            {list.isPending && <SkeletonRows span={span} />}
            {before > 0 && <Space height={before} span={span} />}
            {items.map(({ index }) => {
              const row = drawn[index - first];
              if (!row) return null;
              return (
                <tr
                  key={row.id}
                  data-index={index}
                  ref={virtual.measureElement}
                  aria-rowindex={index + 2}
                  data-selected={row.getIsSelected() || undefined}
                >
                  {onSelect && (
                    <td className={classes.tick}>
                      <Checkbox
                        aria-label={t("selectRow", { name: rowName?.(row.original) ?? row.id })}
                        checked={row.getIsSelected()}
                        disabled={!row.getCanSelect()}
                        onChange={row.getToggleSelectedHandler()}
                      />
                    </td>
                  )}
                  {row.getAllCells().map((cell, i) => (
                    <td key={cell.id} className={classOf(columns[i])}>
                      <table.FlexRender cell={cell} />
                    </td>
                  ))}
                </tr>
              );
            })}
            {after > 0 && <Space height={after} span={span} />}
          </tbody>
        </table>
      </section>
      <Foot count={rows.length} hasMore={list.hasMore} />
    </div>
  );
}

interface SelectAllProps {
  ids: string[];
  selected: RowSelectionState;
  onSelect: (selected: RowSelectionState) => void;
}

/** SelectAll ticks every row that may be selected, in sight or not. */
function SelectAll({ ids, selected, onSelect }: SelectAllProps) {
  const { t } = useTranslation("common");
  const ticked = ids.filter((id) => selected[id]).length;
  const all = ids.length > 0 && ticked === ids.length;
  return (
    <Checkbox
      aria-label={t("selectAll")}
      checked={all}
      indeterminate={ticked > 0 && !all}
      onChange={() => onSelect(all ? {} : Object.fromEntries(ids.map((id) => [id, true])))}
    />
  );
}

function classOf<T>(column: Column<T> | undefined): string | undefined {
  const names = [column?.align === "end" && classes.end, column?.from && classes[column.from]].filter(Boolean);
  return names.join(" ") || undefined;
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort?: string; onSort?: (sort: string | undefined) => void }) {
  const by = column.sort;
  if (!by || !onSort) {
    return (
      <th scope="col" className={classOf(column)}>
        {column.header || <span className="sr-only">{column.label}</span>}
      </th>
    );
  }
  const up = sort === by;
  const down = sort === `-${by}`;
  const Sign = up ? IconArrowUp : down ? IconArrowDown : IconArrowsSort;
  return (
    <th scope="col" className={classOf(column)} aria-sort={up ? "ascending" : down ? "descending" : "none"}>
      <button type="button" className={classes.sort} onClick={() => onSort(up ? `-${by}` : down ? undefined : by)}>
        {column.header}
        <Sign size={14} aria-hidden />
      </button>
    </th>
  );
}

function Space({ height, span }: { height: number; span: number }) {
  return (
    <tr className={classes.space} aria-hidden>
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

function SkeletonRows({ span }: { span: number }) {
  return [70, 55, 62, 48, 66].map((width) => (
    <tr key={width} aria-hidden>
      <td colSpan={span}>
        <Skeleton h={14} w={`${width}%`} />
      </td>
    </tr>
  ));
}

function Foot({ count, hasMore }: { count: number; hasMore: boolean }) {
  const { t } = useTranslation("common");
  const format = useFormat();
  const number = format.number(count);
  return (
    <div className={classes.foot} role="status">
      {hasMore ? t("rowsMore", { number }) : t("rows", { count, number })}
    </div>
  );
}
