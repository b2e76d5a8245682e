/** Which acts a reader may do on a case now, as the services decide it. Pure; the service has the last word. */

import type { Session } from "../app/session";
import { FUNCTIONS } from "../app/session";
import type { CaseRow, TaskBrief } from "../screens/stream/rank";
import type { CaseAct, TaskAct } from "./actions";

const LEADS = ["planning-lead", "executive"];

function worksOnCases(session: Session): boolean {
  return session.roles.some((role) => LEADS.includes(role) || (FUNCTIONS as readonly string[]).includes(role));
}

function mayFor(session: Session, name: string | null): boolean {
  return name !== null && session.roles.some((role) => role === name || LEADS.includes(role));
}

/** Return the acts on the case itself. */
export function caseActs(row: CaseRow, session: Session): CaseAct[] {
  if (!worksOnCases(session)) return [];
  const acts: CaseAct[] = [];
  if (row.state === "open" && row.acknowledged_at === null) acts.push("acknowledge");
  if (row.state !== "closed" && row.owner?.subject !== session.subject) acts.push("take");
  if (row.state === "open" && row.decided_at === null) acts.push("decide");
  if (row.state === "implemented") acts.push("verify");
  if (row.state === "open") acts.push(row.paused_at === null ? "pause" : "resume");
  if (row.state !== "open") acts.push("reopen");
  return acts;
}

/** Return the acts on one of its tasks. */
export function taskActs(task: TaskBrief, row: Pick<CaseRow, "state">, session: Session): TaskAct[] {
  if (row.state !== "open") return [];
  if (task.offered_to !== null && mayFor(session, task.offered_to)) return ["accept", "return"];
  if (task.state === "refused") return session.roles.some((role) => LEADS.includes(role)) ? ["assign", "waive"] : [];
  if (!mayFor(session, task.holder)) return [];
  if (task.state === "open") return ["commit", "complete", "hand-over", "refuse", "waive"];
  if (task.state === "committed") return ["complete", "commit", "hand-over", "waive"];
  return [];
}

/** Return the tasks of a case on which a reader may do this. */
export function tasksFor(act: TaskAct, row: CaseRow, session: Session): TaskBrief[] {
  return row.tasks.filter((task) => taskActs(task, row, session).includes(act));
}
