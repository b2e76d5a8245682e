/** The forms of acts that need words: what is typed stays until the service has said yes. */

import { useState, type ReactNode } from "react";
import { useDraft } from "../app/draft";
import { FUNCTIONS } from "../app/session";
import { asInput } from "../format";
import type { CaseRow, TaskBrief } from "../screens/stream/rank";
import { Dialog } from "../ui/Dialog";
import { Choice, Field } from "../ui/Field";
import { Form } from "../ui/Form";
import { functionName } from "../ui/names";
import { words } from "../words";
import { perform, type CaseAct, type TaskAct } from "./actions";

/** What a form is opened for. */
export interface RequestedAct {
  act: CaseAct | TaskAct;
  row: Pick<CaseRow, "case_id" | "headline"> & { version?: number };
  /** The tasks that the act may be about; the reader chooses where there are several. */
  tasks?: readonly TaskBrief[];
}

type Values = Record<string, string>;
type Kind = "words" | "moment" | "function";
interface Input {
  name: string;
  label: string;
  kind: Kind;
  hint?: string;
  optional?: boolean;
}

const REASON: Input = { name: "reason", label: "Reason", kind: "words", hint: "In words that others can use." };

const INPUTS: Record<string, readonly Input[]> = {
  commit: [
    { name: "committed_to", label: "Done until", kind: "moment", hint: "In your own time zone." },
    { name: "note", label: "Note", kind: "words", optional: true },
  ],
  complete: [{ name: "outcome", label: "What was done", kind: "words" }],
  "hand-over": [
    { name: "to_function", label: "To", kind: "function" },
    { name: "note", label: "What they need to know", kind: "words" },
  ],
  assign: [{ name: "to_function", label: "To", kind: "function" }, REASON],
  refuse: [REASON],
  waive: [REASON],
  return: [REASON],
  pause: [REASON],
  reopen: [REASON],
  decide: [
    { name: "choice", label: "The way out", kind: "words" },
    { name: "rationale", label: "Why this one", kind: "words", optional: true },
  ],
  verify: [{ name: "outcome", label: "What came of it", kind: "words" }],
};

const NAMES: Record<CaseAct | TaskAct, string> = {
  acknowledge: words.acts.acknowledge,
  take: words.acts.take,
  pause: words.acts.pause,
  resume: words.acts.resume,
  decide: words.acts.decide,
  verify: words.acts.verify,
  reopen: words.acts.reopen,
  commit: words.acts.commit,
  complete: words.acts.done,
  refuse: words.acts.refuse,
  waive: words.acts.waive,
  "hand-over": words.acts.handOver,
  accept: words.acts.accept,
  return: words.acts.giveBack,
  assign: words.acts.assign,
};

export function actName(act: CaseAct | TaskAct): string {
  return NAMES[act];
}

export function needsWords(act: CaseAct | TaskAct): boolean {
  return act in INPUTS;
}

/** Show the form of an act, or nothing. */
export function ActDialog({ asked, close }: { asked: RequestedAct | undefined; close: () => void }): ReactNode {
  return (
    <Dialog
      title={asked === undefined ? "" : `${actName(asked.act)} — ${asked.row.headline}`}
      open={asked !== undefined}
      close={close}
    >
      {asked && <ActForm key={`${asked.act} ${asked.row.case_id}`} asked={asked} close={close} />}
    </Dialog>
  );
}

function tomorrow(): string {
  return asInput(new Date(Date.now() + 24 * 3_600_000));
}

function ActForm({ asked, close }: { asked: RequestedAct; close: () => void }): ReactNode {
  const { act, row, tasks } = asked;
  const inputs = INPUTS[act] ?? [];
  const [taskId, setTaskId] = useState(tasks?.[0]?.task_id ?? "");
  const task = tasks?.find((one) => one.task_id === taskId);
  const others = FUNCTIONS.filter((one) => one !== task?.holder);
  const empty = Object.fromEntries(
    inputs.map(({ name, kind }) => [
      name,
      kind === "moment" ? tomorrow() : kind === "function" ? (others[0] ?? "") : "",
    ]),
  );
  const [values, setValues, forget] = useDraft<Values>(`${act}:${tasks === undefined ? row.case_id : taskId}`, empty);
  const [isTried, setTried] = useState(false);
  const lacking = (input: Input): string | undefined =>
    isTried && !input.optional && (values[input.name] ?? "").trim() === ""
      ? `${input.label}: this is needed`
      : undefined;

  function submit(): void {
    setTried(true);
    if (inputs.some((input) => !input.optional && (values[input.name] ?? "").trim() === "")) return;
    const body = Object.fromEntries(inputs.flatMap(({ name, kind }) => sentAs(values[name] ?? "", name, kind)));
    void perform({ caseId: row.case_id, taskId: taskId || undefined, act, body, version: row.version }, forget);
    close();
  }

  return (
    <Form send={actName(act)} submit={submit} close={close}>
      {tasks !== undefined && tasks.length > 1 && (
        <Choice
          label="Task"
          value={taskId}
          set={setTaskId}
          options={tasks.map((one) => [one.task_id, `${functionName(one.function)}: ${one.kind}`])}
        />
      )}
      {inputs.map((input, place) => {
        const shared = {
          label: input.label + (input.optional ? " (if any)" : ""),
          value: values[input.name] ?? "",
          set: (value: string) => {
            setValues({ ...values, [input.name]: value });
          },
          hint: input.hint,
          autoFocus: place === 0,
        };
        if (input.kind === "function")
          return <Choice key={input.name} {...shared} options={others.map((one) => [one, functionName(one)])} />;
        const type = input.kind === "moment" ? "datetime-local" : undefined;
        return (
          <Field
            key={input.name}
            {...shared}
            type={type}
            lines={input.kind === "words"}
            required={!input.optional}
            wrong={lacking(input)}
          />
        );
      })}
    </Form>
  );
}

function sentAs(value: string, name: string, kind: Kind): [string, string][] {
  if (value.trim() === "") return [];
  return [[name, kind === "moment" ? new Date(value).toISOString() : value.trim()]];
}
