/** Acts under way: shown at once, marked until the service has said yes, put back with its words when it said no. */

import { useSyncExternalStore } from "react";
import { api, ask, newKey, onceHeaders, Problem } from "../api/client";
import { queries } from "../app/queries";
import type { CaseRow, TaskBrief } from "../screens/stream/rank";
import { cases } from "../screens/stream/store";

export type CaseAct = "acknowledge" | "take" | "pause" | "resume" | "decide" | "verify" | "reopen";
export type TaskAct = "commit" | "complete" | "refuse" | "waive" | "hand-over" | "accept" | "return" | "assign";

export interface ActionRequest {
  /** The case that it is about, and the task where it is about one. */
  caseId: string;
  taskId?: string;
  act: CaseAct | TaskAct;
  body?: Record<string, unknown>;
  /** The version of the case that its actor saw. */
  version?: number;
}

export interface PendingAction extends ActionRequest {
  key: string;
  state: "pending" | "refused";
  error?: unknown;
}

let pendingActions: readonly PendingAction[] = [];
const listeners = new Set<() => void>();

function publish(next: readonly PendingAction[]): void {
  pendingActions = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Return what is under way or was refused, of every case. */
export function usePendingActions(): readonly PendingAction[] {
  return useSyncExternalStore(subscribe, () => pendingActions);
}

export function dismiss(action: PendingAction): void {
  publish(pendingActions.filter((one) => one.key !== action.key));
}

/** Do it. `done` is told once the service has said yes. Under the same key nothing is done twice. */
export async function perform(request: ActionRequest, done?: () => void, key = newKey()): Promise<void> {
  const mine: PendingAction = { ...request, key, state: "pending" };
  const others = pendingActions.filter(
    (one) => one.key !== key && !(one.state === "refused" && one.caseId === request.caseId),
  );
  publish([...others, mine]);
  try {
    await ask("exceptions", sent(request, key));
    done?.();
    await refreshed(request.caseId);
    publish(pendingActions.filter((one) => one.key !== key));
  } catch (error) {
    publish(pendingActions.map((one) => (one.key === key ? { ...mine, state: "refused", error } : one)));
    if (error instanceof Problem && !error.unanswered) void refreshed(request.caseId);
  }
}

async function refreshed(id: string): Promise<void> {
  await Promise.all([cases.refreshed(id), queries.invalidateQueries({ queryKey: ["case", id] })]);
}

function sent({ caseId, taskId, act, body, version }: ActionRequest, key: string) {
  const headers = onceHeaders(key, version === undefined ? undefined : String(version));
  // The paths differ in their last word only, and each body was made by the form of its act.
  if (taskId === undefined) {
    const path = `/cases/{case_id}/${act}` as "/cases/{case_id}/decide";
    return api.exceptions.POST(path, {
      params: { path: { case_id: caseId } },
      headers,
      body: (body ?? {}) as { choice: string },
    });
  }
  const path = `/tasks/{task_id}/${act}` as "/tasks/{task_id}/refuse";
  return api.exceptions.POST(path, {
    params: { path: { task_id: taskId } },
    headers,
    body: (body ?? {}) as { reason: string },
  });
}

/** Return a case as it will be once what is under way has been accepted. */
export function expected<Row extends CaseRow>(
  row: Row,
  under: readonly PendingAction[],
  reader: { subject: string; role: string },
): Row {
  return under
    .filter((one) => one.caseId === row.case_id && one.state === "pending")
    .reduce<Row>(
      (seen, one) => (one.taskId === undefined ? withCaseAct(seen, one.act, reader) : withTaskAct(seen, one)),
      row,
    );
}

function withCaseAct<Row extends CaseRow>(row: Row, act: string, reader: { subject: string; role: string }): Row {
  const now = new Date().toISOString();
  switch (act) {
    case "acknowledge":
      return { ...row, acknowledged_at: row.acknowledged_at ?? now };
    case "take":
      return { ...row, owner: reader, acknowledged_at: row.acknowledged_at ?? now };
    case "decide":
      return { ...row, decided_at: row.decided_at ?? now };
    case "pause":
      return { ...row, paused_at: now };
    case "resume":
      return { ...row, paused_at: null };
    default:
      return row;
  }
}

const NEXT_STATE: Partial<Record<string, string>> = {
  commit: "committed",
  complete: "completed",
  refuse: "refused",
  waive: "waived",
};

function withTaskAct<Row extends CaseRow>(row: Row, { taskId, act, body }: PendingAction): Row {
  const changed = (task: TaskBrief): TaskBrief => {
    if (act === "hand-over") return { ...task, offered_to: String(body?.to_function) };
    return { ...task, state: NEXT_STATE[act] ?? task.state };
  };
  return { ...row, tasks: row.tasks.map((task) => (task.task_id === taskId ? changed(task) : task)) };
}
