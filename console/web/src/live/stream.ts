/** The stream as a tab hears it: its state, and the facts since. */

import { useEffect, useSyncExternalStore } from "react";
import { follow } from "./follower";
import type { Fact, FromFollower, StreamState, ToFollower } from "./protocol";

type Listener = (facts: Fact[]) => void;

let state: StreamState = { kind: "stale", lastHeardAt: Date.now(), reason: "lost" };
const stateListeners = new Set<() => void>();
const factListeners = new Set<Listener>();
let send: ((message: ToFollower) => void) | undefined;

function setState(next: StreamState): void {
  state = next;
  for (const listener of stateListeners) listener();
}

function onFacts(facts: Fact[]): void {
  for (const listener of factListeners) listener(facts);
}

/** Begin to follow; call it once somebody is logged in. A browser without shared workers follows once per tab. */
export function begin(): void {
  if (send !== undefined) {
    send({ again: true });
    return;
  }
  if (typeof SharedWorker === "undefined") {
    const follower = follow({ state: setState, facts: onFacts });
    send = (message) => {
      if ("again" in message) follower.again();
    };
    return;
  }
  connect();
  window.addEventListener("pagehide", () => send?.({ bye: true }));
  window.addEventListener("pageshow", () => send?.({ hello: true }));
}

const AGAIN_MS = 1_000;

function connect(): void {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "stream" });
  // Its script may not come either while the server is away.
  worker.onerror = () => setTimeout(connect, AGAIN_MS);
  worker.port.onmessage = ({ data }: MessageEvent<FromFollower>) => {
    if ("state" in data) setState(data.state);
    else onFacts(data.facts);
  };
  send = (message) => {
    worker.port.postMessage(message);
  };
}

export function useStreamState(): StreamState {
  return useSyncExternalStore(
    (listener) => {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    () => state,
  );
}

/** Hear facts as long as the component is there; `listener` must keep its identity. */
export function useFacts(listener: Listener): void {
  useEffect(() => {
    factListeners.add(listener);
    return () => {
      factListeners.delete(listener);
    };
  }, [listener]);
}
