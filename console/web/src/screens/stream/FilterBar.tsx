import { useMemo, useRef, useState, type ReactNode } from "react";
import { useKeys, type Key } from "../../app/keys";
import { Choice } from "../../ui/Field";
import { words } from "../../words";
import { changed, STATES, VIEWS, type Filters, type View } from "./filters";
import { SORTS } from "./rank";

const VIEW_WORDS: Record<View, string> = {
  all: "All",
  mine: "Mine",
  function: "My function",
  unowned: "Unowned",
  breaching: "Breaching",
};

interface Given {
  filters: Filters;
  query: URLSearchParams;
  setQuery: (query: URLSearchParams, options?: { replace?: boolean }) => void;
  hasFunction: boolean;
}

/** The saved views, and what narrows them. */
export function FilterBar({ filters, query, setQuery, hasFunction }: Given): ReactNode {
  const search = useRef<HTMLInputElement>(null);
  useKeys(
    useMemo<Key[]>(
      () => [
        {
          press: "/",
          does: "Search",
          run: () => {
            search.current?.focus();
          },
        },
      ],
      [],
    ),
  );
  // The address follows what is typed a moment later; what is typed is never taken from it while somebody types.
  const [typed, setTyped] = useState(filters.words);
  const [wordsBefore, setWordsBefore] = useState(filters.words);
  if (wordsBefore !== filters.words) {
    setWordsBefore(filters.words);
    if (filters.words === "" || !typed.startsWith(filters.words)) setTyped(filters.words);
  }
  const set = (name: string, value: string): void => {
    setQuery(changed(query, name, value), { replace: true });
  };
  return (
    <div className="row" role="search">
      <div className="tabs" role="group" aria-label="View">
        {VIEWS.filter((view) => view !== "function" || hasFunction).map((view) => (
          <button
            key={view}
            type="button"
            className="toggle"
            data-selected={filters.view === view || undefined}
            aria-pressed={filters.view === view}
            onClick={() => {
              set("view", view);
            }}
          >
            {VIEW_WORDS[view]}
          </button>
        ))}
      </div>
      <Choice
        isBare
        label="State"
        value={filters.state}
        set={(value) => {
          set("state", value);
        }}
        options={STATES.map((state) => [state, words.caseState[state] ?? state])}
      />
      <Choice
        isBare
        label="Severity"
        value={filters.severity}
        set={(value) => {
          set("severity", value);
        }}
        options={[["", "every severity"], ...Object.entries(words.severity)]}
      />
      <Choice
        isBare
        label="Order"
        value={filters.sort}
        set={(value) => {
          set("sort", value);
        }}
        options={Object.entries(SORTS)}
      />
      <label className="row push">
        <span className="unseen">Search</span>
        <input
          ref={search}
          className="input"
          type="search"
          placeholder="Search  /"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            set("q", event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
          }}
        />
      </label>
    </div>
  );
}
