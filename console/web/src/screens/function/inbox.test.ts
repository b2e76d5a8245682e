import { describe, expect, it } from "vitest";
import { boxes, boxOf, type TaskRow } from "./inbox";

function task(given: Partial<TaskRow>): TaskRow {
  return {
    masked: [],
    task_id: "t1",
    case_id: "c1",
    kind: "notify-customers",
    function: "sales",
    holder: "sales",
    offered_to: null,
    required: true,
    title: "Tell the customers",
    state: "open",
    money_limit: null,
    opened_at: "2026-03-02T08:00:00Z",
    commit_by: "2026-03-02T12:00:00Z",
    complete_by: "2026-03-03T12:00:00Z",
    committed_to: null,
    committed_at: null,
    done_at: null,
    outcome: null,
    acted_by: null,
    commit_missed_at: null,
    complete_missed_at: null,
    due_at: "2026-03-02T12:00:00Z",
    headline: "late",
    severity: "high",
    case_state: "open",
    ...given,
  };
}

describe("boxOf", () => {
  it.each([
    [{}, "waiting"],
    [{ state: "committed" }, "accepted"],
    [{ state: "refused" }, "refused"],
    [{ offered_to: "logistics" }, "given"],
    [{ holder: "logistics", offered_to: "sales" }, "offered"],
    [{ holder: "logistics" }, undefined],
    [{ state: "completed" }, undefined],
    [{ case_state: "closed" }, undefined],
  ])("puts %o into %s", (given, box) => {
    expect(boxOf(task(given as Partial<TaskRow>), "sales")).toBe(box);
  });
});

it("shows the earliest due first", () => {
  const found = boxes(
    [task({ task_id: "b", due_at: "2026-03-03T00:00:00Z" }), task({ task_id: "a", due_at: "2026-03-02T00:00:00Z" })],
    "sales",
  );
  expect(found.waiting.map((one) => one.task_id)).toEqual(["a", "b"]);
});
