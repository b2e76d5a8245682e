/** Keys: one listener; the screen that is open adds its own. A key typed into a field is text. */

import { useEffect, useSyncExternalStore } from "react";

export interface Key {
  /** What is pressed: `j`, `?`, `Enter`, or two after each other: `g s`. */
  press: string;
  does: string;
  run: () => void;
}

const stacks: (readonly Key[])[] = [];
const listeners = new Set<() => void>();
let known: readonly Key[] = [];
let first: string | undefined;
let firstAt = 0;
const SECOND_KEY_MS = 1_500;

function changed(): void {
  const seen = new Set<string>();
  known = stacks
    .toReversed()
    .flat()
    .filter((key) => !seen.has(key.press) && seen.add(key.press));
  for (const listener of listeners) listener();
}

/** Return whether a key belongs to what has the focus: a field takes every letter, a button its Enter and space. */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("input, textarea, select, [role=dialog], [role=menu], [role=listbox]"))
    return true;
  return (event.key === "Enter" || event.key === " ") && target.closest("button, a, summary") !== null;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
  const both = first !== undefined && event.timeStamp - firstAt < SECOND_KEY_MS ? `${first} ${event.key}` : event.key;
  first = undefined;
  const key = known.find((one) => one.press === both) ?? known.find((one) => one.press === event.key);
  if (key !== undefined) {
    event.preventDefault();
    key.run();
  } else if (known.some((one) => one.press.startsWith(`${event.key} `))) {
    first = event.key;
    firstAt = event.timeStamp;
  }
}

/** Listen on a window; call it once. */
export function listen(window: Window): () => void {
  window.addEventListener("keydown", onKey);
  return () => {
    window.removeEventListener("keydown", onKey);
  };
}

/** Add keys as long as the component is there; `keys` must keep its identity. The latest component's keys come first. */
export function useKeys(keys: readonly Key[]): void {
  useEffect(() => {
    stacks.push(keys);
    changed();
    return () => {
      stacks.splice(stacks.indexOf(keys), 1);
      changed();
    };
  }, [keys]);
}

/** Return every key that does something now. */
export function useKnownKeys(): readonly Key[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => known,
  );
}
