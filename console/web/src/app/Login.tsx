/** The way in: through the organisation's provider, or, in a local stack, as one of its demo roles. */

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api, ask } from "../api/client";
import { Button } from "../ui/Button";
import { Failed, Loading, Refusal } from "../ui/States";
import { words } from "../words";

/** Lead to a login that comes back to where the reader is. */
export async function logInAs(role: string, to: string): Promise<void> {
  const { ticket } = (await ask("console", api.console.POST("/issuer/ticket", { body: { as: role } }))) as {
    ticket: string;
  };
  location.assign(`/login?${new URLSearchParams({ ticket, to }).toString()}`);
}

export function here(): string {
  return location.pathname + location.search;
}

export function Login(): ReactNode {
  return (
    <main className="screen">
      <div className="state">
        <h1>{words.product}</h1>
        <Ways />
      </div>
    </main>
  );
}

/** The ways to log in that this server has. */
export function Ways(): ReactNode {
  const about = useQuery({
    queryKey: ["about"],
    queryFn: () => ask("console", api.console.GET("/about")),
    staleTime: Infinity,
  });
  const [failure, setFailure] = useState<unknown>();
  if (about.isPending) return <Loading />;
  if (about.isError) return <Failed error={about.error} again={() => void about.refetch()} />;
  if (about.data.login === "provider") {
    return (
      <a className="button main" href={`/login?${new URLSearchParams({ to: here() }).toString()}`}>
        {words.acts.logIn}
      </a>
    );
  }
  return (
    <>
      <p>{words.world(about.data.world)}. Its people are made up: choose who you are, and you see what they may see.</p>
      <div className="row">
        {about.data.roles.map((role) => (
          <Button
            key={role}
            onPress={() => {
              logInAs(role, here()).catch(setFailure);
            }}
          >
            {words.roles[role] ?? role}
          </Button>
        ))}
      </div>
      {failure !== undefined && <Refusal error={failure} />}
    </>
  );
}
