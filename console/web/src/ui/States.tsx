/** The four states of whatever is asked for: loading, failed, forbidden, empty. Each says what to do next. */

import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { words } from "../words";
import { Button } from "./Button";

export function Loading(): ReactNode {
  return (
    <div className="state quiet" role="status">
      {words.loading}
    </div>
  );
}

/** The loading of one part of a screen. */
export function LoadingPart(): ReactNode {
  return (
    <p className="quiet" role="status">
      {words.loading}
    </p>
  );
}

export function Failed({ error, again }: { error: unknown; again?: () => void }): ReactNode {
  const problem = error instanceof Problem ? error : undefined;
  if (problem?.told.status === 403) return <Forbidden detail={problem.told.detail} />;
  const nowhere = problem !== undefined && [404, 422].includes(problem.told.status);
  return (
    <div className="state" role="alert">
      <h2>{nowhere ? words.nowhere : words.failed}</h2>
      <p>{problem === undefined ? String(error) : `${problem.service}: ${problem.told.detail}`}</p>
      {nowhere ? <ToStream /> : again && <Button onPress={again}>{words.acts.again}</Button>}
    </div>
  );
}

export function ToStream(): ReactNode {
  return <a href="/">{words.toStream}</a>;
}

export function Forbidden({ detail }: { detail: string }): ReactNode {
  return (
    <div className="state" role="alert">
      <h2>This is not yours to see.</h2>
      <p>{detail}</p>
      <p className="quiet">
        Whoever sent you the link can tell you what it says. <ToStream />
      </p>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A refusal next to the thing that was refused. */
export function Refusal({ error, children }: { error: unknown; children?: ReactNode }): ReactNode {
  const problem = error instanceof Problem ? error : undefined;
  return (
    <div className="note bad" role="alert">
      {problem === undefined ? String(error) : problem.told.detail}
      {children}
    </div>
  );
}
