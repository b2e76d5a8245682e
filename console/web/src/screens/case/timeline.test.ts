// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Fact } from "../../live/protocol";
import { factWords, type Entry } from "./timeline";

const EXAMPLES = new URL("../../../../../schemas/examples/", import.meta.url);
const facts = readdirSync(EXAMPLES)
  .filter((name) => name.startsWith("exceptions."))
  .map((name) => JSON.parse(readFileSync(new URL(name, EXAMPLES), "utf-8")) as Fact & { recordedtime: string });

/** A line of the timeline as the service writes it of a fact; its class is named after the event. */
function entry(fact: Fact, fields: Record<string, unknown>): Entry {
  const [noun, participle] = fact.type.split(".").slice(1, 3) as [string, string];
  const name = `${noun}-${participle}`.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
  return {
    position: 1,
    type: fact.type,
    fact: name.replace(/^TaskHandover/, "Handover"),
    task_id: null,
    occurred_at: fact.time,
    recorded_at: fact.time,
    by_subject: null,
    by_role: null,
    content: fields,
    caused_by: fact.id,
    caused_kind: "event",
  };
}

describe("factWords", () => {
  it.each(facts.map((fact) => [fact.type, fact] as const))("says %s in words", (type, fact) => {
    expect(factWords(entry(fact, fact.data))).not.toBe(type);
  });

  it.each(facts.map((fact) => [fact.type, fact] as const))("writes a line of %s without any field", (_, fact) => {
    expect(factWords(entry(fact, {}))).not.toBe("");
  });

  it("writes a fact that it does not know by its type", () => {
    const fact = { ...facts[0], type: "exceptions.case.danced.v1" } as Fact;
    expect(factWords(entry(fact, {}))).toBe("exceptions.case.danced.v1");
  });

  it("says when a task is due by a changed calendar", () => {
    const fact = facts.find((one) => one.type === "exceptions.task.rescheduled.v1");
    expect(fact && factWords(entry(fact, fact.data))).toBe(
      "Sales: the calendar changed; commit by 2026-03-03 08:00 UTC, done by 2026-03-04 08:00 UTC",
    );
  });
});
