/** What the others need from one function: its task inbox. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState, type ReactNode } from "react";
import { Link, NavLink, useNavigate, useParams, useSearchParams } from "react-router";
import { api, ask } from "../../api/client";
import { perform, usePendingActions, type TaskAct } from "../../acts/actions";
import { ActDialog, actName, needsWords, type RequestedAct } from "../../acts/Forms";
import { taskActs } from "../../acts/may";
import { Refused } from "../../acts/Refused";
import { useKeys, type Key } from "../../app/keys";
import { functionOf, FUNCTIONS, useSession } from "../../app/session";
import { useFacts } from "../../live/stream";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { Deadline, Severity } from "../../ui/Values";
import { functionName } from "../../ui/names";
import { Empty, Failed, Loading } from "../../ui/States";
import { words } from "../../words";
import { useTimeline } from "../case/questions";
import { BOX_WORDS, BOXES, boxes, type Box, type TaskRow } from "./inbox";

const PAGE_ROWS = 500;
const AGAIN_MS = 300;
const POLL_MS = 2_500;
const LIVE_STATES = ["open", "committed", "refused"] as const;
const KEYS: readonly (readonly [string, TaskAct])[] = [
  ["c", "commit"],
  ["d", "complete"],
  ["h", "hand-over"],
  ["y", "accept"],
  ["r", "return"],
];

export default function FunctionScreen(): ReactNode {
  const { session } = useSession();
  const { name = functionOf(session) ?? FUNCTIONS[0] } = useParams();
  const tasks = useTasks(name);
  return (
    <>
      <header>
        <h1>{functionName(name)}</h1>
        <nav className="tabs" aria-label="Functions">
          {FUNCTIONS.map((one) => (
            <NavLink key={one} to={`/function/${one}`} className="toggle" data-selected={one === name || undefined}>
              {functionName(one)}
            </NavLink>
          ))}
        </nav>
      </header>
      {tasks.data !== undefined ? (
        <Inbox tasks={tasks.data} name={name} />
      ) : tasks.isError ? (
        <Failed error={tasks.error} again={() => void tasks.refetch()} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function useTasks(name: string) {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useFacts(
    useCallback(() => {
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        void queries.invalidateQueries({ queryKey: ["tasks"] });
      }, AGAIN_MS);
    }, [queries]),
  );
  return useQuery({
    queryKey: ["tasks", name],
    queryFn: async (): Promise<TaskRow[]> => {
      const known = { function: name as "sales", limit: PAGE_ROWS };
      const pages = await Promise.all(
        LIVE_STATES.map((state) =>
          ask("exceptions", api.exceptions.GET("/tasks", { params: { query: { ...known, state } } })),
        ),
      );
      return pages.flatMap((page) => page.items);
    },
    refetchInterval: POLL_MS,
  });
}

function Inbox({ tasks, name }: { tasks: readonly TaskRow[]; name: string }): ReactNode {
  const { session } = useSession();
  const go = useNavigate();
  const [query, setQuery] = useSearchParams();
  const [asked, setAsked] = useState<RequestedAct>();
  const pendingActions = usePendingActions();
  const found = useMemo(() => boxes(tasks, name), [tasks, name]);
  const order = useMemo(() => BOXES.flatMap((box) => found[box]), [found]);
  const selected = order.find((task) => task.task_id === query.get("task"));
  const act = useCallback((task: TaskRow, what: TaskAct) => {
    if (needsWords(what)) setAsked({ act: what, row: task, tasks: [task] });
    else void perform({ caseId: task.case_id, taskId: task.task_id, act: what });
  }, []);
  useKeys(
    useMemo<Key[]>(() => {
      const move = (by: number): void => {
        const at = selected === undefined ? -1 : order.indexOf(selected);
        const next = order[Math.min(Math.max(at + by, 0), order.length - 1)];
        if (next === undefined) return;
        setQuery({ task: next.task_id }, { replace: true });
        document.getElementById(`task-${next.task_id}`)?.focus();
      };
      const may = selected === undefined ? [] : taskActs(selected, { state: selected.case_state }, session);
      return [
        {
          press: "j",
          does: "Next task",
          run: () => {
            move(1);
          },
        },
        {
          press: "k",
          does: "Task before",
          run: () => {
            move(-1);
          },
        },
        ...(selected === undefined
          ? []
          : [{ press: "Enter", does: "Open the case", run: () => void go(`/cases/${selected.case_id}`) }]),
        ...KEYS.filter(([, what]) => may.includes(what)).map(([press, what]) => ({
          press,
          does: actName(what),
          run: () => {
            if (selected !== undefined) act(selected, what);
          },
        })),
      ];
    }, [selected, order, session, act, go, setQuery]),
  );
  if (order.length === 0) {
    return (
      <Empty title={`Nothing waits for ${functionName(name)}.`}>
        <p className="quiet">
          A task appears here when a case asks for it. <Link to="/">The stream</Link> shows what is going on.
        </p>
      </Empty>
    );
  }
  return (
    <>
      {pendingActions
        .filter((one) => one.state === "refused")
        .map((one) => (
          <Refused key={one.key} action={one} />
        ))}
      {BOXES.filter((box) => found[box].length > 0).map((box) => (
        <Panel key={box} title={BOX_WORDS[box]} note={<span className="quiet">{found[box].length}</span>}>
          {found[box].map((task) => (
            <TaskView
              key={task.task_id}
              task={task}
              box={box}
              selected={task === selected}
              pending={pendingActions.some((one) => one.taskId === task.task_id && one.state === "pending")}
              act={act}
            />
          ))}
        </Panel>
      ))}
      <ActDialog
        asked={asked}
        close={() => {
          setAsked(undefined);
        }}
      />
    </>
  );
}

interface TaskGiven {
  task: TaskRow;
  box: Box;
  selected: boolean;
  pending: boolean;
  act: (task: TaskRow, what: TaskAct) => void;
}

function TaskView({ task, box, selected, pending, act }: TaskGiven): ReactNode {
  const { session } = useSession();
  return (
    <div className="task" id={`task-${task.task_id}`} tabIndex={-1} data-selected={selected || undefined}>
      <div className="row">
        <Severity level={task.severity} />
        <Link to={`/cases/${task.case_id}`}>{task.headline}</Link>
        <span className="push">
          <Deadline at={task.due_at} />
        </span>
      </div>
      <p>
        {task.title}
        {!task.required && <span className="quiet"> (not required)</span>}
        {task.offered_to !== null && box === "given" && (
          <span className="quiet"> · offered to {functionName(task.offered_to)}</span>
        )}
        {pending && <span className="pending quiet"> · sending …</span>}
      </p>
      {box === "offered" && <OfferNote task={task} />}
      <div className="row">
        {taskActs(task, { state: task.case_state }, session).map((what) => (
          <Button
            key={what}
            onPress={() => {
              act(task, what);
            }}
            aria-label={`${actName(what)}: ${task.title}`}
          >
            {actName(what)}
          </Button>
        ))}
      </div>
    </div>
  );
}

/** What the giver of a handed over task says that its taker needs to know. */
function OfferNote({ task }: { task: TaskRow }): ReactNode {
  const facts = useTimeline(task.case_id);
  const offer = facts.data?.findLast((entry) => entry.fact === "TaskHandedOver" && entry.task_id === task.task_id);
  if (offer === undefined) return facts.isPending ? <p className="quiet">{words.loading}</p> : null;
  const { note, from_function } = offer.content as { note: string; from_function: string };
  return (
    <p className="note">
      {functionName(from_function)}: {note}
    </p>
  );
}
