/** The rows: only those in sight are drawn. While the pointer or the keyboard is in the list its order stands still. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useSyncExternalStore, type ReactNode } from "react";
import { expected, type PendingAction } from "../../acts/actions";
import { CaseRowView } from "./CaseRowView";
import type { CaseRow } from "./rank";
import type { Snapshot } from "./store";

const NARROW = "(max-width: 720px)";
const HEADS = ["Severity", "What", "At risk", "Clock", "Functions", "Since", "Next deadline", "Owner"];
const WIDE_ONLY = new Set(["Clock", "Since", "Owner"]);

interface Given {
  ids: readonly string[];
  rows: Snapshot;
  fits: (row: CaseRow) => boolean;
  selected: string | undefined;
  select: (id: string) => void;
  open: (id: string) => void;
  pendingActions: readonly PendingAction[];
  reader: { subject: string; role: string };
}

function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(NARROW);
      media.addEventListener("change", listener);
      return () => {
        media.removeEventListener("change", listener);
      };
    },
    () => matchMedia(NARROW).matches,
  );
}

export const LIST_ID = "cases";

export function CaseList({ ids, rows, fits, selected, select, open, pendingActions, reader }: Given): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const height = useNarrow() ? 112 : 48;
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions change with each scroll, and are used here only
  const virtual = useVirtualizer({
    count: ids.length,
    getScrollElement: () => frame.current,
    estimateSize: () => height,
    overscan: 8,
  });
  useEffect(() => {
    virtual.measure();
  }, [height, virtual]);
  useFollow(ids, selected, virtual.scrollToIndex);
  const under = new Set(pendingActions.filter((one) => one.state === "pending").map((one) => one.caseId));
  return (
    <div role="grid" aria-label="Cases" aria-rowcount={ids.length + 1}>
      <div role="row" className="case-heads" aria-rowindex={1}>
        {HEADS.map((head) => (
          <div key={head} role="columnheader" className={WIDE_ONLY.has(head) ? "wide" : ""}>
            {head}
          </div>
        ))}
      </div>
      <div ref={frame} id={LIST_ID} className="list" role="rowgroup" tabIndex={-1}>
        <div className="inner" role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const id = ids[item.index] ?? "";
            const row = rows.get(id);
            if (row === undefined) return null;
            const pending = under.has(id);
            return (
              <CaseRowView
                key={id}
                row={pending ? expected(row, pendingActions, reader) : row}
                place={item.index}
                top={item.start}
                selected={id === selected}
                pending={pending}
                gone={!fits(row)}
                select={select}
                open={open}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Keep the selected row in sight when the selection moves, and the focus on it when the focus was in the list. */
function useFollow(ids: readonly string[], selected: string | undefined, scrollTo: (index: number) => void): void {
  const before = useRef<string>(undefined);
  useEffect(() => {
    if (selected === undefined || selected === before.current) return;
    const index = ids.indexOf(selected);
    if (index < 0) return;
    before.current = selected;
    scrollTo(index);
    // The row is drawn with the next frame when it was out of sight.
    requestAnimationFrame(() => {
      if (!(document.activeElement instanceof HTMLInputElement))
        document.getElementById(`case-${selected}`)?.focus({ preventScroll: true });
    });
  }, [ids, selected, scrollTo]);
}
