/** What the shared follower of the exception stream and its tabs tell each other. */

export interface Fact {
  id: string;
  type: string;
  subject: string;
  time: string;
  data: Record<string, unknown> & { case_id: string };
}

export type StreamState =
  /** Facts arrive, or nothing happens and the heartbeat says so. */
  | { kind: "live"; since: number }
  /** Nothing was lastHeardAt since `lastHeardAt`, in the browser's milliseconds. */
  | { kind: "stale"; lastHeardAt: number; reason: "lost" | "silent" | "full" }
  /** The reader's session holds no longer; nothing is followed until it logs in again. */
  | { kind: "ended" };

export type FromFollower = { state: StreamState } | { facts: Fact[]; at: string };
export type ToFollower = { hello: true } | { again: true } | { bye: true };
