/** What needs us now, and who has it: one row per case, ranked, live without jumping, worked from the keyboard. */

import { useCallback, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { ActDialog, type RequestedAct } from "../../acts/Forms";
import { expected, usePendingActions } from "../../acts/actions";
import { Refused } from "../../acts/Refused";
import { functionOf, useSession } from "../../app/session";
import { worldNow } from "../../app/clock";
import { useFacts, useStreamState } from "../../live/stream";
import { number } from "../../format";
import { Empty, Failed, Loading } from "../../ui/States";
import { ActsBar } from "./ActsBar";
import { CaseList, LIST_ID } from "./CaseList";
import { Figures } from "./Figures";
import { FilterBar } from "./FilterBar";
import { changed, filtersOf, fits } from "./filters";
import { sorter, type CaseRow } from "./rank";
import { cases } from "./store";
import "../../style/stream.css";

export function StreamScreen(): ReactNode {
  const { session } = useSession();
  const [query, setQuery] = useSearchParams();
  // The selection is in the address too, and asks for no other list.
  const view = changed(query, "case", "").toString();
  const filters = useMemo(() => filtersOf(new URLSearchParams(view)), [view]);
  const rows = useSyncExternalStore(cases.subscribe, cases.snapshot);
  const reader = useMemo(() => ({ subject: session.subject, function: functionOf(session) }), [session]);
  const pendingActions = usePendingActions();
  const go = useNavigate();
  const [asked, setAsked] = useState<RequestedAct>();
  const [kept, setKept] = useState<readonly string[]>();
  const [isPaused, setPaused] = useState(false);

  useFacts(cases.onFacts);
  useReload(filters.state);

  const ids = useMemo(() => {
    const found: CaseRow[] = [];
    for (const row of rows.values()) if (fits(row, filters, reader)) found.push(row);
    return found.sort(sorter(filters.sort, worldNow())).map((row) => row.case_id);
  }, [rows, filters, reader]);
  const shown = kept ?? ids;
  const fresh = useMemo(() => {
    if (kept === undefined) return 0;
    const known = new Set(kept);
    return ids.filter((id) => !known.has(id)).length;
  }, [kept, ids]);

  // What is pressed shows at once; the address follows.
  const [selected, setSelected] = useState(query.get("case") ?? undefined);
  const select = useCallback(
    (id: string) => {
      setSelected(id);
      setQuery((now) => changed(now, "case", id), { replace: true });
    },
    [setQuery],
  );
  const open = useCallback((id: string) => void go(`/cases/${id}`), [go]);
  const hold = useCallback(() => {
    setKept((now) => now ?? (ids.length > 0 ? ids : undefined)); // an empty list keeps nobody's place
  }, [ids]);
  const release = useCallback(() => {
    if (!isPaused) setKept(undefined);
  }, [isPaused]);
  const takeIn = useCallback(() => {
    setKept((now) => (now === undefined ? undefined : ids));
  }, [ids]);
  // What changed in the address asks for another list; the old order holds no longer.
  const [viewBefore, setViewBefore] = useState(view);
  if (viewBefore !== view) {
    setViewBefore(view);
    setKept(undefined);
  }

  const row = selected === undefined ? undefined : cases.row(selected);
  const role = session.roles[0] ?? "";
  const seen = row && expected(row, pendingActions, { subject: session.subject, role });
  const { loading, error } = cases.progress;
  return (
    <>
      <header>
        <h1 className="unseen">Stream</h1>
        <Figures />
      </header>
      <FilterBar filters={filters} query={query} setQuery={setQuery} hasFunction={reader.function !== undefined} />
      {/* Whoever goes from the list to its buttons is still in it: else the button would be gone under the pointer. */}
      <div
        className="in-list"
        onPointerEnter={hold}
        onPointerLeave={release}
        onFocus={hold}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) release();
        }}
      >
        <div className="new-rows" role="status">
          {fresh > 0 && (
            <button
              type="button"
              className="button main"
              onClick={() => {
                takeIn();
                document.getElementById(LIST_ID)?.focus({ preventScroll: true }); // the button goes, and the focus with it
              }}
            >
              {fresh} new
            </button>
          )}
          <span className="quiet">
            {number(shown.length)} {shown.length === 1 ? "case" : "cases"}
            {loading ? ", loading …" : ""}
            {cases.progress.cut ? "; these are the most expensive of them, narrow the view for others" : ""}
          </span>
          <button
            type="button"
            className="button plain push"
            aria-pressed={isPaused}
            onClick={() => {
              setPaused(!isPaused);
              setKept(isPaused ? undefined : ids);
            }}
          >
            {isPaused ? "Resume" : "Pause"}
          </button>
        </div>
        <ActsBar row={seen} session={session} ask={setAsked} ids={shown} select={select} open={open} takeIn={takeIn} />
        {pendingActions
          .filter((one) => one.state === "refused")
          .map((one) => (
            <Refused key={one.key} action={one} />
          ))}
        {shown.length > 0 ? (
          <CaseList
            ids={shown}
            rows={rows}
            fits={(one) => fits(one, filters, reader)}
            selected={selected}
            select={select}
            open={open}
            pendingActions={pendingActions}
            reader={{ subject: session.subject, role }}
          />
        ) : loading ? (
          <Loading />
        ) : error !== undefined ? (
          <Failed error={error} again={() => void cases.load(filters.state)} />
        ) : (
          <Nothing isNarrowed={view !== ""} />
        )}
      </div>
      <ActDialog
        asked={asked}
        close={() => {
          setAsked(undefined);
        }}
      />
    </>
  );
}

/** Load the list when it is first shown, when another state is asked for, and after the stream was lost. */
function useReload(state: "open" | "implemented" | "closed"): void {
  const stream = useStreamState();
  const isLive = stream.kind === "live";
  useEffect(() => {
    void cases.load(state);
  }, [state, isLive]);
}

function Nothing({ isNarrowed }: { isNarrowed: boolean }): ReactNode {
  if (isNarrowed) {
    return (
      <Empty title="No case fits this view.">
        <a href="/">Show all that are open</a>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing needs anybody now.">
      <p className="quiet">
        A case appears here by itself when a shipment will be late or stock runs short. `crossdock demo` tells the story
        of one.
      </p>
    </Empty>
  );
}
