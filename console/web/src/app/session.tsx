/** Who is logged in, and what becomes of the page while nobody is. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, use, useEffect, useRef, type ReactNode } from "react";
import { begin } from "../live/stream";
import { api, ask, onProblem, Problem } from "../api/client";
import { forgetDrafts } from "./draft";
import { Login } from "./Login";
import { Failed, Loading } from "../ui/States";

export interface Session {
  subject: string;
  roles: string[];
  sites: string[] | "*";
  customers: string[] | "*";
  world: string;
  expires_at: number | null;
}

const Here = createContext<{ session: Session; ended: boolean } | undefined>(undefined);
const LAST_SUBJECT = "last-subject";

export const FUNCTIONS = ["sales", "logistics", "inventory", "procurement"] as const;
export type Function_ = (typeof FUNCTIONS)[number];

/** Return who reads, and whether the session ended meanwhile. */
export function useSession(): { session: Session; ended: boolean } {
  const here = use(Here);
  if (here === undefined) throw new Error("outside of a session");
  return here;
}

/** Return the function that the reader works for, if any. */
export function functionOf(session: Session): Function_ | undefined {
  return FUNCTIONS.find((one) => session.roles.includes(one));
}

/** Show the page to whoever is logged in, else the login. A session that ends later leaves the page, and what is typed, in place. */
export function WithSession({ children }: { children: ReactNode }): ReactNode {
  const queries = useQueryClient();
  const asked = useQuery({
    queryKey: ["session"],
    queryFn: () => ask("console", api.console.GET("/session")) as unknown as Promise<Session>,
    retry: (count, error) => count < 3 && error instanceof Problem && error.unanswered,
    refetchInterval: (query) => (query.state.status === "error" ? 2_000 : 60_000),
    refetchOnWindowFocus: true,
  });
  const session = asked.data;
  const nobody = asked.error instanceof Problem && asked.error.told.status === 401;
  const subject = session?.subject;
  const before = useRef<string>(undefined);

  useEffect(() => {
    if (subject === undefined || nobody) return;
    if ((localStorage.getItem(LAST_SUBJECT) ?? subject) !== subject) forgetDrafts();
    localStorage.setItem(LAST_SUBJECT, subject);
    begin();
    const others = { predicate: (query: { queryKey: readonly unknown[] }) => query.queryKey[0] !== "session" };
    if (before.current !== undefined && before.current !== subject) queries.removeQueries(others);
    else if (before.current !== undefined) void queries.invalidateQueries(others);
    before.current = subject;
  }, [subject, nobody, queries]);
  useEffect(
    () =>
      onProblem((problem) => {
        // The session's own question says so itself.
        if (problem.told.status === 401 && problem.service !== "console")
          void queries.invalidateQueries({ queryKey: ["session"] });
      }),
    [queries],
  );

  if (session === undefined && nobody) return <Login />;
  if (session === undefined)
    return asked.isError ? <Failed error={asked.error} again={() => void asked.refetch()} /> : <Loading />;
  return <Here value={{ session, ended: nobody }}>{children}</Here>;
}
