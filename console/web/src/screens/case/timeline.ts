/** A fact of a case in words. Pure. */

import type { components } from "../../api/generated/exceptions";
import { duration, money, type Money } from "../../format";
import { functionName } from "../../ui/names";

export type Entry = components["schemas"]["TimelineEntry"];

type Content = Record<string, unknown>;

function text(content: Content, name: string): string {
  const value = content[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function instant(content: Content, name: string): string {
  return `${text(content, name).slice(0, 16).replace("T", " ")} UTC`;
}

const WORDS: Record<string, (content: Content) => string> = {
  CaseOpened: (c) => `Case opened: ${text(c, "headline")}`,
  CaseExtended: (c) => `The cause grew: ${text(c, "headline")}`,
  CaseReassessed: (c) => {
    const risk = c.value_at_risk as Money | undefined;
    const severity =
      c.severity === c.previous_severity
        ? `still ${text(c, "severity")}`
        : `${text(c, "previous_severity")} → ${text(c, "severity")}`;
    return `Assessed again, because of ${text(c, "because")}: ${severity}${risk ? `, ${money(risk)} at risk` : ""}`;
  },
  CaseAcknowledged: () => "Acknowledged",
  CaseTaken: () => "Taken",
  CaseDecided: (c) => `Decided: ${text(c, "choice")}${c.rationale ? ` — ${text(c, "rationale")}` : ""}`,
  CaseImplemented: () => "Implemented: every required function has finished its part",
  CaseSettled: (c) => `Really late, by ${text(c, "days_late")} d`,
  CaseCleared: (c) => `Cleared: ${text(c, "reason")}`,
  CaseVerified: (c) => `Verified and closed: ${text(c, "outcome")}`,
  CaseReopened: (c) => `Opened again: ${text(c, "reason")}`,
  CaseHandedOver: (c) => `Handed over from ${text(c, "from_group")} to ${text(c, "to_group")}`,
  CaseEscalated: (c) => `A deadline passed: rung ${text(c, "level")} told, ${text(c, "rung")}`,
  CasePaused: (c) => `Clock paused: ${text(c, "reason")}`,
  CaseResumed: () => "Clock goes on",
  TaskOpened: (c) => `${functionName(text(c, "function"))} asked: ${text(c, "title")}`,
  TaskCommitted: (c) =>
    `${functionName(text(c, "function"))} committed to ${instant(c, "committed_to")}${c.note ? ` — ${text(c, "note")}` : ""}`,
  TaskRefused: (c) => `${functionName(text(c, "function"))} refused: ${text(c, "reason")}`,
  TaskHandedOver: (c) =>
    `Offered by ${functionName(text(c, "from_function"))} to ${functionName(text(c, "to_function"))}: ${text(c, "note")}`,
  HandoverAccepted: (c) => `${functionName(text(c, "to_function"))} accepted what was handed over`,
  HandoverReturned: (c) => `${functionName(text(c, "to_function"))} gave it back: ${text(c, "reason")}`,
  TaskCompleted: (c) => `${functionName(text(c, "function"))} done: ${text(c, "outcome")}`,
  TaskWaived: (c) => `${functionName(text(c, "function"))} not needed: ${text(c, "reason")}`,
  TaskWithdrawn: (c) => `${functionName(text(c, "function"))} asked no longer: ${text(c, "reason")}`,
  TaskRescheduled: (c) =>
    `${functionName(text(c, "function"))}: the calendar changed; commit by ${instant(c, "commit_by")}, done by ${instant(c, "complete_by")}`,
  TaskReopened: (c) => `${functionName(text(c, "function"))} asked again: ${text(c, "reason")}`,
};

/** Write a fact; one that this page does not know is written by its own name. */
export function factWords(entry: Entry): string {
  return WORDS[entry.fact]?.(entry.content) ?? entry.type;
}

/** Write how long after the case was identified a fact happened. */
export function afterStart(entry: Entry, identifiedAt: string): string {
  const seconds = (Date.parse(entry.occurred_at) - Date.parse(identifiedAt)) / 1000;
  return seconds < 0 ? `−${duration(-seconds)}` : `+${duration(seconds)}`;
}
