/** One case in the stream. It is drawn anew only when its case, its place or its selection changed. */

import { memo, type ReactNode } from "react";
import { Link } from "react-router";
import { useNow } from "../../app/clock";
import { counted } from "../../format";
import { Deadline, Money, Severity, Since } from "../../ui/Values";
import { functionName } from "../../ui/names";
import { words } from "../../words";
import { chipState, type CaseRow, type TaskBrief } from "./rank";

interface Given {
  row: CaseRow;
  place: number;
  top: number;
  selected: boolean;
  pending: boolean;
  /** It is in this view no longer, and stays until the reader leaves the list. */
  gone: boolean;
  select: (id: string) => void;
  open: (id: string) => void;
}

export const CaseRowView = memo(function CaseRowView({
  row,
  place,
  top,
  selected,
  pending,
  gone,
  select,
  open,
}: Given): ReactNode {
  return (
    <div
      role="row"
      className="case"
      id={`case-${row.case_id}`}
      aria-rowindex={place + 2}
      aria-selected={selected}
      tabIndex={selected ? 0 : -1}
      data-gone={gone || undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => {
        // The link leads away by itself.
        if (!(event.target as HTMLElement).closest("a")) select(row.case_id);
      }}
      onDoubleClick={() => {
        open(row.case_id);
      }}
    >
      <div role="gridcell">
        <Severity level={row.severity} />
      </div>
      <div role="gridcell" className="what">
        <Link to={`/cases/${row.case_id}`} tabIndex={-1} title={row.headline}>
          {row.headline}
        </Link>
        <span className={pending ? "pending quiet" : "quiet"}>
          {pending ? "sending … " : ""}
          {gone ? "left this view · " : ""}
          {counted(row.lines, "line")} · {counted(row.customers.length, "customer")} · {row.sites.join(", ")}
        </span>
      </div>
      <div role="gridcell" className="number">
        <Money value={row.value_at_risk} />
      </div>
      <div role="gridcell" className="wide">
        <Track row={row} />
      </div>
      <div role="gridcell" className="chips">
        <Chips tasks={row.tasks} />
      </div>
      <div role="gridcell" className="number wide">
        <Since at={row.opened_at} />
      </div>
      <div role="gridcell" className="number">
        {row.due_at === null ? (
          <span className="quiet">none</span>
        ) : (
          <Deadline at={row.due_at} done={row.state !== "open"} />
        )}
      </div>
      <div role="gridcell" className="wide">
        {row.owner === null ? <span className="quiet">{words.nobody}</span> : row.owner.subject}
      </div>
    </div>
  );
});

const TRACK = [
  ["opened_at", words.points.identified_at],
  ["opened_at", words.points.tasked_at],
  ["acknowledged_at", words.points.acknowledged_at],
  ["decided_at", words.points.decided_at],
  ["committed", words.points.committed_at],
  ["implemented_at", words.points.implemented_at],
  ["closed_at", words.points.verified_at],
] as const;

/** The clock points as dots, and in words for who does not see them. */
export function Track({ row }: { row: CaseRow }): ReactNode {
  const isCommitted = row.tasks
    .filter((task) => task.required)
    .every((task) => task.state !== "open" && task.state !== "refused");
  const reached = TRACK.map(([name, said]) => [name === "committed" ? isCommitted : row[name] !== null, said] as const);
  const last = reached.findLast(([is]) => is)?.[1] ?? "";
  return (
    <span
      className="track"
      role="img"
      aria-label={`reached: ${reached
        .filter(([is]) => is)
        .map(([, said]) => said)
        .join(", ")}`}
      title={`last: ${last}`}
    >
      <i data-there />
      {reached.map(([is, said]) => (
        <i key={said} data-there={is || undefined} />
      ))}
    </span>
  );
}

const CHIP_MARKS: Record<string, string> = {
  open: "○",
  committed: "◐",
  completed: "●",
  waived: "–",
  refused: "✕",
  withdrawn: "–",
  late: "!",
};

/** One chip per required function: who, and how they stand. */
export function Chips({ tasks }: { tasks: readonly TaskBrief[] }): ReactNode {
  const now = useNow();
  return tasks
    .filter((task) => task.required)
    .map((task) => {
      const state = chipState(task, now);
      return (
        <span
          key={task.task_id}
          className="chip"
          data-state={state === "completed" || state === "waived" ? "done" : state}
        >
          <span aria-hidden="true">{CHIP_MARKS[state]}</span> {functionName(task.holder)} {words.taskState[state]}
        </span>
      );
    });
}
