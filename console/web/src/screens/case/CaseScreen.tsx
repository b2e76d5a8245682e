/** One case: what is hurt, what the options are, who moves next, and what happened. */

import { useCallback, useMemo, useState, type ReactNode } from "react";
import { useParams } from "react-router";
import { expected, perform, usePendingActions, type CaseAct } from "../../acts/actions";
import { ActDialog, actName, needsWords, type RequestedAct } from "../../acts/Forms";
import { caseActs, tasksFor } from "../../acts/may";
import { Refused } from "../../acts/Refused";
import { useKeys, type Key } from "../../app/keys";
import { useSession } from "../../app/session";
import { counted } from "../../format";
import { Button } from "../../ui/Button";
import { Money, Severity } from "../../ui/Values";
import { Failed, Loading } from "../../ui/States";
import { words } from "../../words";
import { Clock } from "./Clock";
import { Impact } from "./Impact";
import { Options } from "./Options";
import { Promises } from "./Promises";
import { Tasks } from "./Tasks";
import { Timeline } from "./Timeline";
import { useCase, useFollowed, type CaseWhole } from "./questions";

export default function CaseScreen(): ReactNode {
  const { id = "" } = useParams();
  const found = useCase(id);
  useFollowed(id);
  if (found.data !== undefined) return <Whole whole={found.data} />;
  return found.isError ? <Failed error={found.error} again={() => void found.refetch()} /> : <Loading />;
}

const CASE_KEYS: Partial<Record<CaseAct, string>> = { acknowledge: "a", take: "t", decide: "x", verify: "v" };
const TASK_KEYS = [
  ["c", "commit"],
  ["d", "complete"],
  ["h", "hand-over"],
] as const;

function Whole({ whole }: { whole: CaseWhole }): ReactNode {
  const { session } = useSession();
  const pendingActions = usePendingActions().filter((one) => one.caseId === whole.case_id);
  const [asked, setAsked] = useState<RequestedAct>();
  const seen = expected(whole, pendingActions, { subject: session.subject, role: session.roles[0] ?? "" });
  const act = useCallback(
    (name: CaseAct) => {
      if (needsWords(name)) setAsked({ act: name, row: whole });
      else void perform({ caseId: whole.case_id, act: name, version: whole.version });
    },
    [whole],
  );
  const acts = caseActs(seen, session);
  useKeys(
    useMemo<Key[]>(() => {
      const onCase = caseActs(whole, session).flatMap((name) => {
        const press = CASE_KEYS[name];
        return press === undefined
          ? []
          : [
              {
                press,
                does: actName(name),
                run: () => {
                  act(name);
                },
              },
            ];
      });
      const onTasks = TASK_KEYS.flatMap(([press, name]) => {
        const tasks = tasksFor(name, whole, session);
        return tasks.length === 0
          ? []
          : [
              {
                press,
                does: actName(name),
                run: () => {
                  setAsked({ act: name, row: whole, tasks });
                },
              },
            ];
      });
      return [...onCase, ...onTasks];
    }, [whole, session, act]),
  );
  return (
    <article>
      <div className="case-head">
        <div className="row">
          <Severity level={seen.severity} />
          <h1>{seen.headline}</h1>
        </div>
        <div className="row">
          <span>
            {words.caseState[seen.state]}
            {seen.ending && seen.ending !== seen.state ? `, ${seen.ending}` : ""}
          </span>
          <span>
            <Money value={seen.value_at_risk} /> at risk
          </span>
          <span>held by {seen.owner === null ? words.nobody : seen.owner.subject}</span>
          {seen.paused_at !== null && <span className="late">clock paused: {whole.pause_reason}</span>}
          {whole.previous_case_id !== null && <span>came back, {counted(seen.recurrence, "time")}</span>}
          {whole.escalations > 0 && <span>escalated {counted(whole.escalations, "time")}</span>}
        </div>
        <Clock whole={whole} seen={seen} />
        <div className="row" role="toolbar" aria-label="Acts on the case">
          {acts.map((name, place) => (
            <Button
              key={name}
              kind={place === 0 ? "main" : undefined}
              onPress={() => {
                act(name);
              }}
            >
              {actName(name)} {CASE_KEYS[name] && <kbd aria-hidden="true">{CASE_KEYS[name]}</kbd>}
            </Button>
          ))}
          {pendingActions.some((one) => one.state === "pending") && (
            <span className="pending quiet" role="status">
              sending …
            </span>
          )}
        </div>
        {pendingActions
          .filter((one) => one.state === "refused")
          .map((one) => (
            <Refused key={one.key} action={one} />
          ))}
      </div>
      <div className="case-columns">
        <div>
          <Impact whole={whole} />
          <Options whole={whole} />
        </div>
        <div>
          <Tasks whole={whole} seen={seen} ask={setAsked} />
          <Promises whole={whole} />
        </div>
      </div>
      <Timeline whole={whole} />
      <ActDialog
        asked={asked}
        close={() => {
          setAsked(undefined);
        }}
      />
    </article>
  );
}
