/** What can be done with the selected case: each act a button with its name and its key. */

import { useMemo, type ReactNode } from "react";
import type { RequestedAct } from "../../acts/Forms";
import { actName } from "../../acts/Forms";
import { caseActs, tasksFor } from "../../acts/may";
import { perform, type CaseAct, type TaskAct } from "../../acts/actions";
import { useKeys, type Key } from "../../app/keys";
import type { Session } from "../../app/session";
import { Button } from "../../ui/Button";
import type { CaseRow } from "./rank";

interface Given {
  row: CaseRow | undefined;
  session: Session;
  ask: (asked: RequestedAct) => void;
  ids: readonly string[];
  select: (id: string) => void;
  open: (id: string) => void;
  takeIn: () => void;
}

const CASE_KEYS: readonly (readonly [string, CaseAct])[] = [
  ["a", "acknowledge"],
  ["t", "take"],
];
const TASK_KEYS: readonly (readonly [string, TaskAct])[] = [
  ["c", "commit"],
  ["d", "complete"],
  ["h", "hand-over"],
];

interface Possible {
  press: string;
  name: string;
  run: () => void;
}

function possible(row: CaseRow, session: Session, ask: (asked: RequestedAct) => void): Possible[] {
  const may = caseActs(row, session);
  const onCase = CASE_KEYS.filter(([, act]) => may.includes(act)).map(([press, act]) => ({
    press,
    name: actName(act),
    run: () => void perform({ caseId: row.case_id, act, version: row.version }),
  }));
  const onTasks = TASK_KEYS.flatMap(([press, act]) => {
    const tasks = tasksFor(act, row, session);
    return tasks.length === 0
      ? []
      : [
          {
            press,
            name: actName(act),
            run: () => {
              ask({ act, row, tasks });
            },
          },
        ];
  });
  return [...onCase, ...onTasks];
}

export function ActsBar({ row, session, ask, ids, select, open, takeIn }: Given): ReactNode {
  const acts = useMemo(() => (row === undefined ? [] : possible(row, session, ask)), [row, session, ask]);
  const id = row?.case_id;
  useKeys(
    useMemo<Key[]>(() => {
      const move = (by: number): void => {
        const at = id === undefined ? -1 : ids.indexOf(id);
        const next = ids[Math.min(Math.max(at + by, 0), ids.length - 1)];
        if (next !== undefined) select(next);
      };
      return [
        {
          press: "j",
          does: "Next case",
          run: () => {
            move(1);
          },
        },
        {
          press: "k",
          does: "Case before",
          run: () => {
            move(-1);
          },
        },
        { press: "n", does: "Show what is new", run: takeIn },
        ...(id === undefined
          ? []
          : [
              {
                press: "Enter",
                does: "Open the case",
                run: () => {
                  open(id);
                },
              },
            ]),
        ...acts.map((act) => ({ press: act.press, does: act.name, run: act.run })),
      ];
    }, [acts, id, ids, select, open, takeIn]),
  );
  return (
    <div className="acts-bar" role="toolbar" aria-label="Acts on the selected case">
      {row === undefined ? (
        <span className="quiet">Select a case with a press, or with j and k; ? shows all keys.</span>
      ) : (
        <>
          {acts.map((act, place) => (
            <Button key={act.press} kind={place === 0 ? "main" : undefined} onPress={act.run}>
              {act.name} <kbd aria-hidden="true">{act.press}</kbd>
            </Button>
          ))}
          <Button
            onPress={() => {
              open(row.case_id);
            }}
          >
            Open <kbd aria-hidden="true">Enter</kbd>
          </Button>
          {acts.length === 0 && <span className="quiet">Nothing here waits for you.</span>}
        </>
      )}
    </div>
  );
}
