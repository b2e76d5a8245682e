/** The figure by a cell: by function, pair, kind or severity. A cell of few cases of a person-like kind is not shown. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { api, ask } from "../../api/client";
import { micros, number, percent } from "../../format";
import { Panel, Scroll } from "../../ui/Panel";
import { functionName } from "../../ui/names";
import type { Cell } from "./plots";

interface Given {
  what: "function" | "pair" | "kind" | "severity";
  title: string;
  asked: {
    kind?: "shipment-delay" | "shortage" | "incident";
    severity?: "low" | "medium" | "high" | "critical";
    since?: string;
  };
}

export function Cells({ what, title, asked }: Given): ReactNode {
  const found = useQuery({
    queryKey: ["velocity", "by", what, asked],
    queryFn: () =>
      ask("scorecard", api.scorecard.GET("/velocity/by/{what}", { params: { path: { what }, query: asked } })),
  });
  const note = found.data?.items.length === 0 && <span className="quiet">none yet</span>;
  return (
    <Panel title={title} note={note} asked={found}>
      {found.data && found.data.items.length > 0 && (
        <Scroll label={`${title} as a table`}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{what === "pair" ? "From → to" : "Cases"}</th>
                <th scope="col" className="number">
                  p50
                </th>
                <th scope="col" className="number">
                  p90
                </th>
                <th scope="col" className="number">
                  {what === "function" ? "Share" : "Within target"}
                </th>
                <th scope="col" className="number">
                  Number
                </th>
              </tr>
            </thead>
            <tbody>
              {found.data.items.map((cell) => (
                <tr key={`${cell.cell} ${cell.to ?? ""}`}>
                  <td>{named(cell, what)}</td>
                  {cell.hidden ? (
                    <td colSpan={3} className="quiet">
                      too few cases to show
                    </td>
                  ) : (
                    <>
                      <td className="number">{micros(cell.p50_us)}</td>
                      <td className="number">{micros(cell.p90_us)}</td>
                      <td className="number">{share(cell, what)}</td>
                    </>
                  )}
                  <td className="number">{number(what === "pair" ? (cell.handoffs ?? 0) : cell.n)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Panel>
  );
}

function named(cell: Cell, what: Given["what"]): ReactNode {
  if (what === "pair") return `${functionName(cell.cell)} → ${functionName(cell.to ?? "")}`;
  if (what === "function") return <Link to={`/function/${cell.cell}`}>{functionName(cell.cell)}</Link>;
  if (what === "severity") return <Link to={`/?severity=${cell.cell}`}>{cell.cell}</Link>;
  return <Link to={`/velocity?kind=${cell.cell}`}>{cell.cell}</Link>;
}

function share(cell: Cell, what: Given["what"]): string {
  const found = what === "function" ? cell.share : cell.within_target;
  return found === null || found === undefined ? "" : percent(found);
}
