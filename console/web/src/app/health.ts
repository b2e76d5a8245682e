/** Which services did not answer lately, as the page's own questions met it. */

import { useSyncExternalStore } from "react";
import { onAnswer, onProblem } from "../api/client";

const down = new Map<string, number>();
const answered = new Map<string, number>();
const listeners = new Set<() => void>();
let shown: readonly Down[] = [];

export interface Down {
  service: string;
  /** When it answered last, in milliseconds. */
  since: number;
}

function changed(): void {
  shown = [...down].map(([service, since]) => ({ service, since }));
  for (const listener of listeners) listener();
}

onProblem((problem) => {
  if (!problem.unanswered || down.has(problem.service)) return;
  down.set(problem.service, answered.get(problem.service) ?? Date.now());
  changed();
});

onAnswer((service) => {
  answered.set(service, Date.now());
  if (down.delete(service)) changed();
});

export function useDown(): readonly Down[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
}
