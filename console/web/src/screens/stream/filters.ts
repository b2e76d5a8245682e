/** What the stream is narrowed to. It lives in the address, so that every view is a link. */

import { SORTS, type CaseRow, type Sort } from "./rank";

export const VIEWS = ["all", "mine", "function", "unowned", "breaching"] as const;
export type View = (typeof VIEWS)[number];
export const STATES = ["open", "implemented", "closed"] as const;

export interface Filters {
  view: View;
  state: (typeof STATES)[number];
  sort: Sort;
  severity: string;
  words: string;
}

function oneOf<Word extends string>(words: readonly Word[], said: string | null): Word {
  return words.find((word) => word === said) ?? (words[0] as Word);
}

export function filtersOf(query: URLSearchParams): Filters {
  return {
    view: oneOf(VIEWS, query.get("view")),
    state: oneOf(STATES, query.get("state")),
    sort: oneOf(Object.keys(SORTS) as Sort[], query.get("sort")),
    severity: query.get("severity") ?? "",
    words: query.get("q") ?? "",
  };
}

/** Return the address's query with one thing changed; what is as always is not written. */
export function changed(query: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  if (
    value === "" ||
    value === "all" ||
    (name === "state" && value === "open") ||
    (name === "sort" && value === "rank")
  )
    next.delete(name);
  else next.set(name, value);
  return next;
}

export interface Reader {
  subject: string;
  function: string | undefined;
}

/** Say whether a case belongs to what is asked for. */
export function fits(row: CaseRow, filters: Filters, reader: Reader): boolean {
  if (row.state !== filters.state) return false;
  if (filters.severity !== "" && row.severity !== filters.severity) return false;
  if (filters.view === "mine" && row.owner?.subject !== reader.subject) return false;
  if (filters.view === "unowned" && row.owner !== null) return false;
  if (filters.view === "breaching" && !row.breaching) return false;
  if (filters.view === "function" && !isOf(row, reader.function)) return false;
  return filters.words === "" || said(row).includes(filters.words.toLowerCase());
}

function isOf(row: CaseRow, name: string | undefined): boolean {
  return row.tasks.some(
    (task) =>
      (task.holder === name || task.offered_to === name) && ["open", "committed", "refused"].includes(task.state),
  );
}

function said(row: CaseRow): string {
  return [row.headline, row.case_id, row.owner?.subject ?? "", ...row.sites, ...row.customers].join(" ").toLowerCase();
}
