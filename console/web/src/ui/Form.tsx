/** A form that is sent by its button or by Ctrl Enter; why it was refused stands in it, and what was typed stays. */

import type { KeyboardEvent, ReactNode } from "react";
import { words } from "../words";
import { Button } from "./Button";
import { Refusal } from "./States";

interface Given {
  /** The words of the button. */
  send: ReactNode;
  submit: () => void;
  close: () => void;
  isPending?: boolean;
  error?: unknown;
  children: ReactNode;
}

function onKey(event: KeyboardEvent<HTMLFormElement>): void {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.currentTarget.requestSubmit();
}

export function Form({ send, submit, close, isPending = false, error, children }: Given): ReactNode {
  return (
    <form
      noValidate
      onKeyDown={onKey}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {children}
      {error !== null && error !== undefined && <Refusal error={error} />}
      <div className="row">
        <Button kind="main" type="submit" isPending={isPending}>
          {send}
        </Button>
        <Button onPress={close}>{words.acts.cancel}</Button>
        <span className="quiet">{words.formHint}</span>
      </div>
    </form>
  );
}
