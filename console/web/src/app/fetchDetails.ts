import type { QueryClient } from "@tanstack/react-query";

/** Return each thing of a list whole. A whole is asked for again only when its row in the list has changed. */
export function fetchDetails<Row, Whole>(
  queries: QueryClient,
  kind: string,
  rows: readonly Row[],
  whole: (row: Row) => Promise<Whole>,
): Promise<Whole[]> {
  return Promise.all(
    rows.map((row) =>
      queries.query({ queryKey: ["whole", kind, row], queryFn: () => whole(row), staleTime: Infinity }),
    ),
  );
}
