/** Follows the exception stream once for all tabs of a browser: from its last place on, without gap or duplicate. */

import { createParser } from "eventsource-parser";
import type { Fact, StreamState } from "./protocol";

/** The server's heartbeat comes every 3 s: after this long without one the connection counts as lost, well before 5 s. */
export const SILENCE_MS = 4_500;
const BACK_OFF_MS = [250, 500, 1_000, 2_000];

export interface Follower {
  /** Connect again now, for instance after a login. */
  again: () => void;
  stop: () => void;
  state: () => StreamState;
}

export interface FollowerListener {
  state: (state: StreamState) => void;
  facts: (facts: Fact[], at: string) => void;
}

/** Begin to follow at the stream's present end. */
export function follow(listener: FollowerListener, get: typeof fetch = (...request) => fetch(...request)): Follower {
  let state: StreamState = { kind: "stale", lastHeardAt: Date.now(), reason: "lost" };
  let last = "now";
  let lastHeardAt = Date.now();
  let begun = Date.now();
  let failures = 0;
  let stopped = false;
  let abort = new AbortController();
  let waiting: ReturnType<typeof setTimeout> | undefined;

  function setState(next: StreamState): void {
    if (next.kind === state.kind && next.kind !== "stale") return;
    state = next;
    listener.state(state);
  }

  function onHeartbeat(id: string | undefined): void {
    lastHeardAt = Date.now();
    failures = 0;
    if (id) last = id;
    setState({ kind: "live", since: lastHeardAt });
  }

  async function once(signal: AbortSignal): Promise<StreamState> {
    const answer = await get(`/stream?from=${encodeURIComponent(last)}`, {
      signal,
      headers: { Accept: "text/event-stream" },
    });
    if (answer.status === 401 || answer.status === 403) return { kind: "ended" };
    if (!answer.ok || answer.body === null)
      return { kind: "stale", lastHeardAt, reason: answer.status === 503 ? "full" : "lost" };
    const batch: Fact[] = [];
    const parser = createParser({
      onEvent: (event) => {
        batch.push(JSON.parse(event.data) as Fact);
        onHeartbeat(event.id);
      },
    });
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { kind: "stale", lastHeardAt, reason: "lost" };
      rest += decoder.decode(value, { stream: true });
      // An id counts once its whole event is there: a connection cut in the middle of one resumes before it.
      const end = rest.lastIndexOf("\n\n") + 2;
      if (end < 2) continue;
      const whole = rest.slice(0, end);
      rest = rest.slice(end);
      parser.feed(whole);
      onHeartbeat(lastId(whole));
      if (batch.length > 0) listener.facts(batch.splice(0), last);
    }
  }

  async function run(): Promise<void> {
    clearTimeout(waiting);
    begun = Date.now();
    abort = new AbortController();
    const mine = abort;
    let after: StreamState;
    try {
      after = await once(mine.signal);
    } catch {
      after = { kind: "stale", lastHeardAt, reason: mine.signal.aborted ? "silent" : "lost" };
    }
    if (stopped || mine !== abort) return;
    setState(after);
    if (after.kind === "ended") return;
    const pause = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)];
    failures += 1;
    // Browsers that lost the same server do not come back all at once.
    waiting = setTimeout(() => void run(), (pause ?? 0) * (0.5 + Math.random()));
  }

  const watch = setInterval(() => {
    if (state.kind !== "ended" && Date.now() - Math.max(lastHeardAt, begun) > SILENCE_MS) abort.abort();
  }, 250);
  void run();

  return {
    again: () => {
      abort.abort();
      failures = 0;
      void run();
    },
    stop: () => {
      stopped = true;
      clearInterval(watch);
      clearTimeout(waiting);
      abort.abort();
    },
    state: () => state,
  };
}

/** Return the last id of whole events; a heartbeat moves the place on and is no event. */
function lastId(text: string): string | undefined {
  return [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1];
}
