/** A table of records: sorted by its heads, scrolled sideways where it is wider than the page. */

import {
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_basic,
  sortFn_datetime,
  sortFn_text,
  tableFeatures,
  useTable,
  type ColumnDef,
  type RowData,
} from "@tanstack/react-table";
import type { ReactNode } from "react";
import { Scroll } from "./Panel";

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic, text: sortFn_text, alphanumeric: sortFn_alphanumeric, datetime: sortFn_datetime },
});
type Features = typeof features;
export type Columns<Row extends RowData> = ColumnDef<Features, Row>[];

/** Return a helper that makes columns of a kind of row; give what it makes a name outside of the component. */
export function columnsOf<Row extends RowData>(): ReturnType<typeof createColumnHelper<Features, Row>> {
  return createColumnHelper<Features, Row>();
}

interface Given<Row extends RowData> {
  caption: string;
  columns: Columns<Row>;
  rows: readonly Row[];
  id: (row: Row) => string;
  /** Names of the columns whose cells are numbers. */
  numbers?: readonly string[];
  empty?: string;
}

export function Table<Row extends RowData>({ caption, columns, rows, id, numbers = [], empty }: Given<Row>): ReactNode {
  const table = useTable({ features, columns, data: rows, getRowId: id });
  const side = (column: string): string => (numbers.includes(column) ? "number" : "");
  return (
    <Scroll label={caption}>
      <table className="table">
        <caption className="unseen">{caption}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => (
                <Head
                  key={header.id}
                  side={side(header.column.id)}
                  sorted={header.column.getIsSorted()}
                  toggle={header.column.getCanSort() ? header.column.getToggleSortingHandler() : undefined}
                >
                  {header.isPlaceholder ? null : <table.FlexRender header={header} />}
                </Head>
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id}>
              {row.getAllCells().map((cell) => (
                <td key={cell.id} className={side(cell.column.id)}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && empty && <p className="quiet">{empty}</p>}
    </Scroll>
  );
}

interface HeadGiven {
  side: string;
  sorted: false | "asc" | "desc";
  toggle: ((event: unknown) => void) | undefined;
  children: ReactNode;
}

function Head({ side, sorted, toggle, children }: HeadGiven): ReactNode {
  const order = sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : "none";
  return (
    <th className={side} scope="col" aria-sort={toggle ? order : undefined}>
      {toggle ? (
        <button type="button" onClick={toggle}>
          {children}
          <span aria-hidden="true">{sorted === "asc" ? " ↑" : sorted === "desc" ? " ↓" : ""}</span>
        </button>
      ) : (
        children
      )}
    </th>
  );
}
