/** The tasks by function: who has which part, by when, and what each may do with it. */

import type { ReactNode } from "react";
import { perform, type TaskAct } from "../../acts/actions";
import { actName, needsWords, type RequestedAct } from "../../acts/Forms";
import { taskActs } from "../../acts/may";
import { useSession } from "../../app/session";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { Deadline, Money, When } from "../../ui/Values";
import { functionName } from "../../ui/names";
import { words } from "../../words";
import type { CaseRow, TaskBrief } from "../stream/rank";
import type { CaseWhole, TaskShown } from "./questions";

interface Given {
  whole: CaseWhole;
  seen: CaseRow;
  ask: (asked: RequestedAct) => void;
}

export function Tasks({ whole, seen, ask }: Given): ReactNode {
  const told = new Map(whole.whole_tasks.map((task) => [task.task_id, task]));
  return (
    <Panel title="Tasks">
      {seen.tasks.map((brief) => (
        <Task key={brief.task_id} brief={brief} task={told.get(brief.task_id)} whole={whole} ask={ask} />
      ))}
      {whole.choice && (
        <p>
          Decided: <strong>{whole.choice}</strong>
        </p>
      )}
    </Panel>
  );
}

function Task({
  brief,
  task,
  whole,
  ask,
}: {
  brief: TaskBrief;
  task: TaskShown | undefined;
  whole: CaseWhole;
  ask: (asked: RequestedAct) => void;
}): ReactNode {
  const { session } = useSession();
  const acts = taskActs(brief, whole, session);
  const isPending = task !== undefined && task.state !== brief.state;
  const act = (name: TaskAct): void => {
    if (needsWords(name)) ask({ act: name, row: whole, tasks: [brief] });
    else void perform({ caseId: whole.case_id, taskId: brief.task_id, act: name, version: whole.version });
  };
  return (
    <div className="task">
      <div className="row">
        <strong>{functionName(brief.holder)}</strong>
        <span className={isPending ? "pending" : ""}>{words.taskState[brief.state] ?? brief.state}</span>
        {!brief.required && <span className="quiet">not required</span>}
        {brief.offered_to !== null && <span>offered to {functionName(brief.offered_to)}</span>}
        <span className="push">
          {brief.state === "open" && (
            <>
              commit <Deadline at={brief.commit_by} />
            </>
          )}
          {brief.state === "committed" && (
            <>
              done <Deadline at={brief.complete_by} />
            </>
          )}
        </span>
      </div>
      {task && <p>{task.title}</p>}
      {task?.committed_to && (
        <p className="quiet">
          Committed to <When at={task.committed_to} />
          {task.acted_by ? ` by ${task.acted_by}` : ""}
        </p>
      )}
      {task?.outcome && <p>{task.outcome}</p>}
      {task?.money_limit && (
        <p className="quiet">
          Above <Money value={task.money_limit} /> the planning lead chooses.
        </p>
      )}
      {acts.length > 0 && (
        <div className="row">
          {acts.map((name) => (
            <Button
              key={name}
              onPress={() => {
                act(name);
              }}
              aria-label={`${actName(name)}: ${functionName(brief.holder)}`}
            >
              {actName(name)}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
