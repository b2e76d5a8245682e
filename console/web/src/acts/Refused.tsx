/** What was refused, next to the thing, with what another did meanwhile; nothing is overwritten silently. */

import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { Button } from "../ui/Button";
import { Refusal } from "../ui/States";
import { words } from "../words";
import { factWords, type Entry } from "../screens/case/timeline";
import { dismiss, perform, type PendingAction } from "./actions";
import { actName } from "./Forms";

export function Refused({ action }: { action: PendingAction }): ReactNode {
  const problem = action.error instanceof Problem ? action.error : undefined;
  const changes = (problem?.told.changes ?? []) as Entry[];
  return (
    <Refusal error={action.error}>
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
          <Button onPress={() => void perform(action, undefined, action.key)}>
            {words.acts.again}: {actName(action.act)}
          </Button>
        )}
        {changes.length > 0 && (
          <Button
            onPress={() => void perform({ ...action, version: Math.max(...changes.map((entry) => entry.position)) })}
          >
            {actName(action.act)} all the same
          </Button>
        )}
        <Button
          kind="plain"
          onPress={() => {
            dismiss(action);
          }}
        >
          {words.acts.close}
        </Button>
      </div>
    </Refusal>
  );
}
