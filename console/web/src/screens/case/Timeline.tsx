/** What happened, one line per fact; each opens its event, and says why it came to be. */

import { useState, type ReactNode } from "react";
import { absolute } from "../../format";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { When } from "../../ui/Values";
import { Failed } from "../../ui/States";
import { useTimeline, useWhy, type CaseWhole } from "./questions";
import { afterStart, factWords, type Entry } from "./timeline";

export function Timeline({ whole }: { whole: CaseWhole }): ReactNode {
  const facts = useTimeline(whole.case_id);
  const [open, setOpen] = useState<number>();
  return (
    <Panel title="Timeline" asked={facts}>
      <ol className="timeline">
        {facts.data?.map((entry) => (
          <li key={entry.position}>
            <span className="number quiet">{afterStart(entry, whole.clock.identified_at)}</span>
            <When at={entry.occurred_at} />
            <span className="words">
              {factWords(entry)}
              {entry.by_subject && <span className="quiet"> — {entry.by_subject}</span>}
            </span>
            <Button
              kind="plain"
              aria-expanded={open === entry.position}
              aria-label={`Event and why: ${factWords(entry)}`}
              onPress={() => {
                setOpen(open === entry.position ? undefined : entry.position);
              }}
            >
              Why
            </Button>
            {open === entry.position && <More entry={entry} />}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function More({ entry }: { entry: Entry }): ReactNode {
  const isEvent = entry.caused_kind === "event";
  const why = useWhy(isEvent ? entry.caused_by : undefined);
  return (
    <div className="more">
      <p>
        <code>{entry.type}</code>, recorded {absolute(entry.recorded_at)}
      </p>
      <ol aria-label="Causes">
        {!isEvent && (
          <li>
            ← {entry.caused_kind} {entry.by_subject ? `of ${entry.by_subject} ` : ""}
            <code>{entry.caused_by}</code>
          </li>
        )}
        {why.data?.chain.map((step) => (
          <li key={step.fact_id}>
            ← <code>{step.type}</code> of {step.source.replace(/^.*\//, "")}, {absolute(step.occurred_at)}
          </li>
        ))}
        {why.data && (
          <li>
            ← {why.data.root.kind} of {why.data.root.service} <code>{why.data.root.id}</code>
          </li>
        )}
      </ol>
      {why.isError && <Failed error={why.error} again={() => void why.refetch()} />}
      <pre>{JSON.stringify(entry.content, null, 2)}</pre>
    </div>
  );
}
