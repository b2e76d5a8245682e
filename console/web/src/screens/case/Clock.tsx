/** The eight points of the response clock, with what lies between them. */

import type { ReactNode } from "react";
import { useNow } from "../../app/clock";
import { duration } from "../../format";
import { When } from "../../ui/Values";
import { words } from "../../words";
import type { CaseRow } from "../stream/rank";
import type { CaseWhole } from "./questions";

const POINTS = Object.keys(words.points) as (keyof typeof words.points)[];

export function Clock({ whole, seen }: { whole: CaseWhole; seen: CaseRow }): ReactNode {
  const now = useNow();
  const start = Date.parse(whole.clock.identified_at);
  const clock = { ...whole.clock, acknowledged_at: whole.clock.acknowledged_at ?? seen.acknowledged_at };
  const isOpen = seen.state === "open";
  return (
    <div>
      <ol className="clock" aria-label="Response clock">
        {POINTS.map((point) => {
          const at = clock[point];
          return (
            <li key={point} data-there={at !== null || undefined}>
              {words.points[point]}
              {at === null ? <span className="span quiet">not yet</span> : <Reached at={at} start={start} />}
            </li>
          );
        })}
      </ol>
      {isOpen && (
        <p className="quiet">
          Running for {duration(Math.max(0, Math.floor((now - start) / 1000)))} since it was identified.
        </p>
      )}
    </div>
  );
}

function Reached({ at, start }: { at: string; start: number }): ReactNode {
  const after = (Date.parse(at) - start) / 1000;
  return (
    <>
      <span className="span">{after === 0 ? "0 s" : `${after > 0 ? "+" : ""}${duration(after)}`}</span>
      <When at={at} />
    </>
  );
}
