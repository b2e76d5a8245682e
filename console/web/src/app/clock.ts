/** The world's time: the browser's clock, moved by what a service said last; one tick a second for everything that counts. */

import { useSyncExternalStore } from "react";

let offset = 0;
let tick = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Take a service's time as the world's. */
export function setWorldNow(instant: string): void {
  const told = Date.parse(instant) - Date.now();
  // A second of network and of two clocks is no other world.
  offset = Math.abs(told) > 2_000 ? told : 0;
}

export function worldNow(): number {
  return Date.now() + offset;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    tick = worldNow();
    for (const one of listeners) one();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Return the world's time in milliseconds, anew each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => tick);
}

/** Return the browser's own time in milliseconds, anew each second: for what this page itself did and heard. */
export function useBrowserNow(): number {
  return useNow() - offset;
}
