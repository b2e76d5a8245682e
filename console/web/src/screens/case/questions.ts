/** What the case screen asks, of whom. What the stream says of the case makes the page ask again. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import type { components as ExceptionsParts } from "../../api/generated/exceptions";
import type { components as ProcurementParts } from "../../api/generated/procurement";
import type { components as SalesParts } from "../../api/generated/sales";
import { api, ask } from "../../api/client";
import { fetchDetails } from "../../app/fetchDetails";
import type { Fact } from "../../live/protocol";
import { useFacts } from "../../live/stream";
import type { Entry } from "./timeline";

export type CaseWhole = ExceptionsParts["schemas"]["CaseWhole"];
export type TaskShown = ExceptionsParts["schemas"]["TaskShown"];
export type Round = ProcurementParts["schemas"]["RoundWhole"];
export type Line = Round["lines"][number];
export type Option = Line["options"][number];
export type Notice = SalesParts["schemas"]["NoticeWhole"];

const AGAIN_MS = 150;
// Rounds and notices have streams of their own, which this page does not follow.
const OTHERS_MS = 2_500;
const TIMELINE_ROWS = 500;

export function useCase(id: string) {
  return useQuery({
    queryKey: ["case", id, "whole"],
    queryFn: () => ask("exceptions", api.exceptions.GET("/cases/{case_id}", { params: { path: { case_id: id } } })),
    // It is what tells within seconds that the service is down.
    refetchInterval: OTHERS_MS,
  });
}

export function useTimeline(id: string) {
  return useQuery({
    queryKey: ["case", id, "timeline"],
    queryFn: async (): Promise<Entry[]> => {
      const path = { case_id: id };
      const found: Entry[] = [];
      let cursor: string | undefined;
      do {
        const query = { limit: TIMELINE_ROWS, cursor };
        const page = await ask(
          "exceptions",
          api.exceptions.GET("/cases/{case_id}/timeline", { params: { path, query } }),
        );
        found.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return found;
    },
  });
}

/** The rounds of alternatives of a case, each whole. */
export function useRounds(id: string) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["case", id, "rounds"],
    queryFn: async (): Promise<Round[]> => {
      const page = await ask("procurement", api.procurement.GET("/sourcings", { params: { query: { case: id } } }));
      return fetchDetails(queries, "sourcing", page.items, (round) =>
        ask(
          "procurement",
          api.procurement.GET("/sourcings/{sourcing_id}", { params: { path: { sourcing_id: round.sourcing_id } } }),
        ),
      );
    },
    refetchInterval: OTHERS_MS,
  });
}

/** The notices to customers of a case, each with its lines and words. */
export function useNotices(id: string) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["case", id, "notices"],
    queryFn: async (): Promise<Notice[]> => {
      const page = await ask("sales", api.sales.GET("/notices", { params: { query: { case: id, limit: 100 } } }));
      return fetchDetails(queries, "notice", page.items, (notice) =>
        ask("sales", api.sales.GET("/notices/{notice_id}", { params: { path: { notice_id: notice.notice_id } } })),
      );
    },
    refetchInterval: OTHERS_MS,
  });
}

/** The chain of causes before a fact, back to the act, the signal or the timer. */
export function useWhy(factId: string | undefined) {
  return useQuery({
    queryKey: ["why", factId],
    enabled: factId !== undefined,
    queryFn: () =>
      ask("scorecard", api.scorecard.GET("/causes/{fact_id}", { params: { path: { fact_id: factId ?? "" } } })),
  });
}

/** Ask again, a moment after the stream has told something of this case. */
export function useFollowed(id: string): void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useFacts(
    useCallback(
      (facts: Fact[]) => {
        if (!facts.some((fact) => fact.data.case_id === id)) return;
        timer.current ??= setTimeout(() => {
          timer.current = undefined;
          void queries.invalidateQueries({ queryKey: ["case", id] });
        }, AGAIN_MS);
      },
      [id, queries],
    ),
  );
}
