/** What was set aside, with its cause and its bytes; run it again or give it up, tried first without action it. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { aboutField, api, ask } from "../../api/client";
import { useDraft } from "../../app/draft";
import { useSession } from "../../app/session";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { Panel } from "../../ui/Panel";
import { When } from "../../ui/Values";
import { Failed, Refusal } from "../../ui/States";
import { asText, type Letter } from "./letters";

// Every service has the same doors for what it set aside; one service's types stand for all.
const SERVICES = [
  "collaboration",
  "exceptions",
  "forecast",
  "inventory",
  "logistics",
  "procurement",
  "sales",
  "scorecard",
] as const;
type Service = (typeof SERVICES)[number];
const AGAIN_MS = 5_000;
const ROWS_MAX = 100;

interface Set_ {
  service: Service;
  letter: Letter;
}

function doors(service: Service): typeof api.exceptions {
  return api[service] as typeof api.exceptions;
}

async function setAside(): Promise<Set_[]> {
  const found = await Promise.all(
    SERVICES.map(async (service) => {
      const page = await ask(service, doors(service).GET("/dead-letters", { params: { query: { limit: ROWS_MAX } } }));
      return page.items.map((letter) => ({ service, letter }));
    }),
  );
  return found.flat();
}

export function DeadLetters(): ReactNode {
  const { session } = useSession();
  const isOperator = session.roles.includes("sre");
  const letters = useQuery({
    queryKey: ["dead-letters"],
    queryFn: setAside,
    refetchInterval: AGAIN_MS,
    enabled: isOperator,
  });
  const [open, setOpen] = useState<string>();
  return (
    <Panel
      title="Dead letters"
      note={
        <>
          {!isOperator && <span className="quiet">what was set aside is shown to site reliability engineers</span>}
          {letters.data?.length === 0 && <span className="quiet">nothing is set aside</span>}
        </>
      }
      asked={isOperator ? letters : undefined}
    >
      <ul>
        {letters.data?.map(({ service, letter }) => {
          const id = `${service} ${letter.dead_letter_id}`;
          return (
            <li key={id} className="task">
              <div className="row">
                <strong>{service}</strong> {letter.reaction}{" "}
                <span className="late">{letter.waiting ? "waits behind another" : letter.cause}</span>
                <span className="quiet">
                  {letter.topic}, subject {letter.key}
                </span>
                <When at={letter.stored_at} />
                <Button
                  kind="plain"
                  aria-expanded={open === id}
                  aria-label={`Bytes of ${id}`}
                  onPress={() => {
                    setOpen(open === id ? undefined : id);
                  }}
                >
                  Bytes
                </Button>
              </div>
              {open === id && <Whole service={service} letter={letter} />}
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

function Whole({ service, letter }: Set_): ReactNode {
  const whole = useQuery({
    queryKey: ["dead-letters", service, letter.dead_letter_id],
    queryFn: () =>
      ask(
        service,
        doors(service).GET("/dead-letters/{dead_letter_id}", {
          params: { path: { dead_letter_id: letter.dead_letter_id } },
        }),
      ),
  });
  return (
    <div className="stack">
      {whole.isError && <Failed error={whole.error} again={() => void whole.refetch()} />}
      {whole.data && (
        <>
          <p>{whole.data.detail}</p>
          <pre className="letter">{asText(whole.data.value ?? null)}</pre>
        </>
      )}
      <Again service={service} letter={letter} />
    </div>
  );
}

interface Result {
  dead_letter_id: number;
  outcome: string;
  detail?: string;
}

function Again({ service, letter }: Set_): ReactNode {
  const queries = useQueryClient();
  const [values, set, forget] = useDraft(`dead:${service}:${letter.dead_letter_id}`, { reason: "" });
  const act = useMutation({
    mutationFn: async ({ what, dry }: { what: "retry" | "drop"; dry: boolean }) => {
      const body = { ids: [letter.dead_letter_id], dry_run: dry, reason: values.reason };
      const path = `/dead-letters:${what}` as "/dead-letters:retry";
      const answer = await ask(service, doors(service).POST(path, { body }));
      return { dry, results: answer.results as unknown as Result[] };
    },
    onSuccess: ({ dry }) => {
      if (dry) return;
      forget();
      void queries.invalidateQueries({ queryKey: ["dead-letters"] });
    },
  });
  return (
    <div className="stack">
      <Field
        label="Reason to give it up"
        value={values.reason}
        set={(reason) => {
          set({ reason });
        }}
        wrong={aboutField(act.error, "reason")}
      />
      <div className="row">
        <Button
          kind="main"
          isPending={act.isPending}
          onPress={() => {
            act.mutate({ what: "retry", dry: false });
          }}
        >
          Run it again
        </Button>
        <Button
          onPress={() => {
            act.mutate({ what: "retry", dry: true });
          }}
        >
          Only say what would be run
        </Button>
        <Button
          isDisabled={values.reason.trim() === ""}
          onPress={() => {
            act.mutate({ what: "drop", dry: false });
          }}
        >
          Give it up
        </Button>
      </div>
      {act.isError && <Refusal error={act.error} />}
      {act.data?.results.map((one) => (
        <p key={one.dead_letter_id} role="status">
          {act.data.dry ? "Would be: " : ""}
          {one.outcome} {one.detail ?? ""}
        </p>
      ))}
      {act.data?.results.length === 0 && <p role="status">Nothing fits any more.</p>}
    </div>
  );
}
