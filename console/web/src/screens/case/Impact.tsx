/** What is hurt: order lines, customers, money and days, each walked back to its record. */

import type { ReactNode } from "react";
import { counted, day, number } from "../../format";
import { Panel } from "../../ui/Panel";
import { Money } from "../../ui/Values";
import { columnsOf, Table } from "../../ui/Table";
import type { CaseWhole } from "./questions";

type Affected = CaseWhole["affected_lines"][number];

function daysLate(line: Affected): string {
  if (!line.expected_on) return "unknown";
  const days = Math.round((Date.parse(line.expected_on) - Date.parse(line.needed_on)) / 86_400_000);
  return days > 0 ? `${days} d` : "in time";
}

const column = columnsOf<Affected>();
const COLUMNS = column.columns([
  column.accessor("reference", { header: "Line", cell: ({ row }) => <Reference line={row.original} /> }),
  column.accessor((line) => line.customer ?? "", { id: "customer", header: "Customer" }),
  column.accessor("item", { header: "Item" }),
  column.accessor("site", { header: "Site" }),
  column.accessor((line) => Number(line.quantity), {
    id: "quantity",
    header: "Quantity",
    cell: ({ getValue }) => number(getValue(), 3),
  }),
  column.accessor((line) => Number(line.value.amount), {
    id: "value",
    header: "Value",
    cell: ({ row }) => <Money value={row.original.value} />,
  }),
  column.accessor("needed_on", {
    header: "Needed",
    cell: ({ getValue }) => <span className="nowrap">{day(getValue())}</span>,
  }),
  column.accessor(daysLate, { id: "late", header: "Late" }),
]);

function Reference({ line }: { line: Affected }): ReactNode {
  const records = [
    ["order line", line.order_line_id],
    ["order", line.order_id],
    ["shipment", line.shipment_id],
    ["purchase order line", line.purchase_order_line_id],
  ].filter(([, id]) => id);
  return (
    <span className="nowrap" title={records.map(([name, id]) => `${name} ${id}`).join("\n")}>
      {line.reference}
    </span>
  );
}

export function Impact({ whole }: { whole: CaseWhole }): ReactNode {
  return (
    <Panel
      title="Impact"
      note={
        <span className="quiet">
          {counted(whole.affected_lines.length, "line")} · {counted(whole.affected_customers.length, "customer")}
          {whole.lines_out_of_scope > 0 &&
            ` · ${counted(whole.lines_out_of_scope, "line")} outside of what you may see`}
          {!whole.impact_known && " · customers are being looked up"}
        </span>
      }
    >
      {whole.affected_customers.length > 0 && (
        <p>
          {whole.affected_customers
            .map((one) => `${one.customer} (${one.tier}, ${counted(one.lines, "line")})`)
            .join(" · ")}
        </p>
      )}
      <Table
        caption="Affected lines"
        columns={COLUMNS}
        rows={whole.affected_lines}
        id={(line) => line.line_id}
        numbers={["quantity", "value"]}
        empty="No line that you may see is affected."
      />
      {whole.shortages.map((shortage) => (
        <p key={shortage.stock_id}>
          Stock of {shortage.item} at {shortage.site} runs short by {number(shortage.quantity, 3)} on{" "}
          {day(shortage.short_on)}.
        </p>
      ))}
    </Panel>
  );
}
