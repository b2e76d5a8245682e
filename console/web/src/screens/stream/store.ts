/** The cases as the page knows them: loaded page by page, asked again when the stream says that they changed.
 *
 * It stands outside of React, since 10,000 rows and 50 changes a second are no component's state. */

import { api, ask, Problem } from "../../api/client";
import type { Fact } from "../../live/protocol";
import type { CaseRow } from "./rank";

const PAGE_ROWS = 500;
const ROWS_MAX = 20_000;
const AGAIN_MS = 200;
const AGAIN_ROWS = 100;

export type Snapshot = ReadonlyMap<string, CaseRow>;

interface Progress {
  loading: boolean;
  error: unknown;
  /** Whether there are more cases than the page holds. */
  cut: boolean;
}

export class CaseStore {
  private rows = new Map<string, CaseRow>();
  private shown: Snapshot = new Map();
  private readonly dirty = new Set<string>();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0;
  private state: CaseRow["state"] | undefined;
  progress: Progress = { loading: true, error: undefined, cut: false };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Snapshot => this.shown;

  row(id: string): CaseRow | undefined {
    return this.rows.get(id);
  }

  /** Load every case of a state, the most money at risk first; what another call loads meanwhile is not mixed in. */
  async load(state: "open" | "implemented" | "closed"): Promise<void> {
    const turn = ++this.turn;
    if (this.state !== state) {
      this.rows = new Map();
      this.state = state;
    }
    this.progress = { loading: true, error: undefined, cut: false };
    this.publish();
    const found = new Set<string>();
    try {
      let cursor: string | undefined;
      do {
        const page = await ask(
          "exceptions",
          api.exceptions.GET("/cases", { params: { query: { state, limit: PAGE_ROWS, cursor } } }),
        );
        if (turn !== this.turn) return;
        for (const row of page.items) {
          found.add(row.case_id);
          this.rows.set(row.case_id, row);
        }
        cursor = page.next ?? undefined;
        this.progress = { ...this.progress, cut: cursor !== undefined && found.size >= ROWS_MAX };
        this.publish();
      } while (cursor !== undefined && found.size < ROWS_MAX);
      // What changed its state before this load began is no row of it; the stream told of what came later.
      for (const id of this.rows.keys()) if (!found.has(id) && !this.dirty.has(id)) this.rows.delete(id);
      this.progress = { ...this.progress, loading: false };
    } catch (error) {
      if (turn !== this.turn) return;
      this.progress = { ...this.progress, loading: false, error };
    }
    this.publish();
  }

  /** Hear what the stream says: each case that it names is asked again, together with others, a few times a second. */
  readonly onFacts = (facts: readonly Fact[]): void => {
    for (const fact of facts) this.dirty.add(fact.data.case_id);
    this.timer ??= setTimeout(() => void this.askAgain(), AGAIN_MS);
  };

  /** Ask for one case again now: its reader has just acted on it. */
  async refreshed(id: string): Promise<void> {
    this.dirty.add(id);
    clearTimeout(this.timer);
    await this.askAgain();
  }

  private async askAgain(): Promise<void> {
    const ids = [...this.dirty].slice(0, AGAIN_ROWS);
    try {
      const page = await ask(
        "exceptions",
        api.exceptions.GET("/cases", { params: { query: { case_id: ids, limit: AGAIN_ROWS } } }),
      );
      const found = new Map(page.items.map((row) => [row.case_id, row]));
      for (const id of ids) {
        this.dirty.delete(id);
        const row = found.get(id);
        if (row === undefined)
          this.rows.delete(id); // out of this reader's sight
        else this.rows.set(id, row);
      }
      this.publish();
    } catch (error) {
      // The banner tells which service is silent; what is dirty stays so and is asked again.
      if (!(error instanceof Problem)) throw error;
    }
    this.timer = this.dirty.size > 0 ? setTimeout(() => void this.askAgain(), AGAIN_MS * 5) : undefined;
  }

  private publish(): void {
    this.shown = new Map(this.rows);
    for (const listener of this.listeners) listener();
  }
}

export const cases = new CaseStore();
