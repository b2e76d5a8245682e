/** What is typed into forms, kept through a reload, a dropped session and a crash of the browser until it was sent. */

import { useCallback, useState } from "react";

const PREFIX = "draft:";
const KEPT_MS = 7 * 24 * 3_600_000;

interface StoredDraft<Value> {
  at: number;
  value: Value;
}

/** Return a form's value, a setter that keeps it, and what forgets it once it was sent. */
export function useDraft<Value extends object>(
  name: string,
  empty: Value,
): [Value, (value: Value) => void, () => void] {
  const key = PREFIX + name;
  const [value, setValue] = useState<Value>(() => (read(key) as Value | undefined) ?? empty);
  const set = useCallback(
    (next: Value) => {
      setValue(next);
      localStorage.setItem(key, JSON.stringify({ at: Date.now(), value: next } satisfies StoredDraft<Value>));
    },
    [key],
  );
  const forget = useCallback(() => {
    localStorage.removeItem(key);
  }, [key]);
  return [value, set, forget];
}

function read(key: string): unknown {
  const text = localStorage.getItem(key);
  if (text === null) return undefined;
  try {
    const kept = JSON.parse(text) as StoredDraft<unknown>;
    return Date.now() - kept.at < KEPT_MS ? kept.value : undefined;
  } catch (error) {
    console.warn(`draft ${key} cannot be read and is forgotten`, error);
    localStorage.removeItem(key);
    return undefined;
  }
}

/** Forget every draft: another person logs in at this browser. */
export function forgetDrafts(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}
