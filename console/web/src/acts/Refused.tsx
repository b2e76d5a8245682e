/** What was refused, next to the thing, with what another did meanwhile; nothing is overwritten silently. */

import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { Button } from "../ui/Button";
import { Refusal } from "../ui/States";
import { words } from "../words";
import { factWords, type Entry } from "../screens/case/timeline";
import { dismiss, perform, type Doing } from "./doing";
import { actName } from "./Forms";

export function Refused({ doing }: { doing: Doing }): ReactNode {
  const problem = doing.error instanceof Problem ? doing.error : undefined;
  const changes = (problem?.told.changes ?? []) as Entry[];
  return (
    <Refusal error={doing.error}>
      {changes.length > 0 && (
        <ul>
          {changes.map((entry) => (
            <li key={entry.position}>
              {entry.by_subject}: {factWords(entry)}
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        {problem?.unanswered && (
          <Button onPress={() => void perform(doing, undefined, doing.key)}>
            {words.acts.again}: {actName(doing.act)}
          </Button>
        )}
        {changes.length > 0 && (
          <Button
            onPress={() => void perform({ ...doing, version: Math.max(...changes.map((entry) => entry.position)) })}
          >
            {actName(doing.act)} all the same
          </Button>
        )}
        <Button
          kind="plain"
          onPress={() => {
            dismiss(doing);
          }}
        >
          {words.acts.close}
        </Button>
      </div>
    </Refusal>
  );
}
