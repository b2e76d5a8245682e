/** The inbox of one function: what waits, what was promised, what was handed over and what was refused. Pure. */

import type { components } from "../../api/generated/exceptions";

export type TaskRow = components["schemas"]["TaskRow"];

export const BOXES = ["waiting", "accepted", "offered", "given", "refused"] as const;
export type Box = (typeof BOXES)[number];

export const BOX_WORDS: Record<Box, string> = {
  waiting: "Waiting for us",
  offered: "Handed over to us",
  accepted: "Accepted by us",
  given: "Handed over by us, not accepted yet",
  refused: "Refused, the planning lead decides",
};

/** Return the box that a task lies in for a function, or undefined where nothing is asked of it any more. */
export function boxOf(task: TaskRow, name: string): Box | undefined {
  if (task.case_state !== "open") return undefined;
  if (task.offered_to === name) return "offered";
  if (task.holder !== name) return undefined;
  if (task.offered_to !== null) return "given";
  if (task.state === "open") return "waiting";
  if (task.state === "committed") return "accepted";
  return task.state === "refused" ? "refused" : undefined;
}

/** Return the tasks of each box, the earliest due first. */
export function boxes(tasks: readonly TaskRow[], name: string): Record<Box, TaskRow[]> {
  const found: Record<Box, TaskRow[]> = { waiting: [], offered: [], accepted: [], given: [], refused: [] };
  for (const task of tasks) {
    const box = boxOf(task, name);
    if (box !== undefined) found[box].push(task);
  }
  for (const box of BOXES)
    found[box].sort((a, b) => a.due_at.localeCompare(b.due_at) || a.task_id.localeCompare(b.task_id));
  return found;
}
