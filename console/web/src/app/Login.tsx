/** The way in: through the organisation's provider, or, in a local stack, by a link that a command prints. */

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api, ask } from "../api/client";
import { Button } from "../ui/Button";
import { Failed, Loading, Refusal } from "../ui/States";
import { words } from "../words";

/** Change the role of this session, which the built-in issuer gave, and come back to where the reader is. */
export async function changeRole(role: string, to: string): Promise<void> {
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

function useAbout() {
  return useQuery({
    queryKey: ["about"],
    queryFn: () => ask("console", api.console.GET("/about")),
    staleTime: Infinity,
  });
}

/** The ways to log in that this server has, for a page without a session. */
export function Ways(): ReactNode {
  const about = useAbout();
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
      <p>{words.linkFrom(about.data.world)}</p>
      <pre>crossdock desk --world {about.data.world} --as planning-lead</pre>
    </>
  );
}

/** What a local stack shows beside; nothing where people log in elsewhere. */
export function LocalOnly({ children }: { children: ReactNode }): ReactNode {
  return useAbout().data?.login === "roles" ? children : null;
}

/** The demo roles of a local stack, for a session that changes its role. */
export function RoleChoice(): ReactNode {
  const about = useAbout();
  const [failure, setFailure] = useState<unknown>();
  return (
    <>
      <p>{words.madeUp}</p>
      <div className="row">
        {about.data?.roles.map((role) => (
          <Button
            key={role}
            onPress={() => {
              changeRole(role, here()).catch(setFailure);
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
