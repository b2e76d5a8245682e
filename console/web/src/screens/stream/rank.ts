/** The order of the stream: money at risk per hour that is left, passed deadlines first. Pure. */

import type { components } from "../../api/generated/exceptions";

export type CaseRow = components["schemas"]["CaseRow"];
export type TaskBrief = components["schemas"]["TaskBrief"];

const HOUR_MS = 3_600_000;
const FAR_HOURS = 24 * 365;

/** Return the money at risk for each hour until the next deadline; a deadline within the hour, or passed, counts as one. */
export function rank(row: CaseRow, now: number): number {
  const hours = row.due_at === null ? FAR_HOURS : (Date.parse(row.due_at) - now) / HOUR_MS;
  return Number(row.value_at_risk.amount) / Math.max(hours, 1);
}

/** Compare by rank; equal ranks by the time of opening, the older first, so that the order is one order. */
export function byRank(now: number): (a: CaseRow, b: CaseRow) => number {
  return (a, b) =>
    Number(b.breaching) - Number(a.breaching) ||
    rank(b, now) - rank(a, now) ||
    a.opened_at.localeCompare(b.opened_at) ||
    a.case_id.localeCompare(b.case_id);
}

export const SORTS = {
  rank: "money at risk per hour left",
  value: "money at risk",
  deadline: "next deadline",
  newest: "newest first",
} as const;
export type Sort = keyof typeof SORTS;

export function sorter(sort: Sort, now: number): (a: CaseRow, b: CaseRow) => number {
  switch (sort) {
    case "rank":
      return byRank(now);
    case "value":
      return (a, b) =>
        Number(b.value_at_risk.amount) - Number(a.value_at_risk.amount) || a.case_id.localeCompare(b.case_id);
    case "deadline":
      return (a, b) => (a.due_at ?? "9").localeCompare(b.due_at ?? "9") || a.case_id.localeCompare(b.case_id);
    case "newest":
      return (a, b) => b.opened_at.localeCompare(a.opened_at) || a.case_id.localeCompare(b.case_id);
  }
}

/** The next thing that a task is late with or due at, or undefined where nothing is asked of it any more. */
export function dueOf(task: TaskBrief): string | undefined {
  if (task.state === "open") return task.commit_by < task.complete_by ? task.commit_by : task.complete_by;
  return task.state === "committed" || task.state === "refused" ? task.complete_by : undefined;
}

export type ChipState = "open" | "committed" | "completed" | "waived" | "refused" | "withdrawn" | "late";

/** How a required function stands, as its chip says it. */
export function chipState(task: TaskBrief, now: number): ChipState {
  const due = dueOf(task);
  return due !== undefined && Date.parse(due) < now ? "late" : (task.state as ChipState);
}
