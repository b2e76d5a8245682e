/** The ways out of a case, line by line: what each costs, saves and lacks; and the choice with its reason. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { aboutField, api, ask, newKey, onceHeaders } from "../../api/client";
import { useDraft } from "../../app/draft";
import { useSession } from "../../app/session";
import { day, number } from "../../format";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Form } from "../../ui/Form";
import { Panel, Scroll } from "../../ui/Panel";
import { Money } from "../../ui/Values";
import { words } from "../../words";
import { useRounds, type CaseWhole, type Line, type Option, type Round } from "./questions";

export function Options({ whole }: { whole: CaseWhole }): ReactNode {
  const rounds = useRounds(whole.case_id);
  const note = rounds.data?.length === 0 && (
    <span className="quiet">Procurement has not looked for alternatives for this case.</span>
  );
  return (
    <Panel title="Options" note={note} asked={rounds}>
      {rounds.data?.map((round) => (
        <RoundView key={round.sourcing_id} round={round} />
      ))}
    </Panel>
  );
}

interface Choosing {
  round: Round;
  options: readonly (readonly [Line, Option])[];
}

function bestOf(round: Round): Choosing["options"] {
  return round.lines.flatMap((line) => {
    const best = line.decided ? undefined : line.options.find((option) => option.feasible);
    return best === undefined ? [] : [[line, best] as const];
  });
}

function RoundView({ round }: { round: Round }): ReactNode {
  const { session } = useSession();
  const [choosing, setChoosing] = useState<Choosing>();
  const [declining, setDeclining] = useState<Line>();
  const may =
    round.state === "open" &&
    session.roles.some((role) => ["procurement", "planning-lead", "executive"].includes(role));
  const best = bestOf(round);
  return (
    <>
      <p className="row">
        <span className="quiet">
          {round.state}
          {round.closed_because ? `: ${round.closed_because}` : ""}
          {round.money_limit ? " · above " : ""}
        </span>
        {round.money_limit && (
          <span className="quiet">
            <Money value={round.money_limit} /> the planning lead chooses
          </span>
        )}
        {may && best.length > 1 && (
          <Button
            kind="main"
            onPress={() => {
              setChoosing({ round, options: best });
            }}
          >
            Choose the best of each line
          </Button>
        )}
      </p>
      {round.lines.map((line) => (
        <LineView
          key={line.line_id}
          line={line}
          may={may && !line.decided}
          choose={(option) => {
            setChoosing({ round, options: [[line, option]] });
          }}
          decline={() => {
            setDeclining(line);
          }}
        />
      ))}
      <Dialog
        title={words.acts.choose}
        open={choosing !== undefined}
        close={() => {
          setChoosing(undefined);
        }}
      >
        {choosing && (
          <ChooseForm
            choosing={choosing}
            close={() => {
              setChoosing(undefined);
            }}
          />
        )}
      </Dialog>
      <Dialog
        title={words.acts.decline}
        open={declining !== undefined}
        close={() => {
          setDeclining(undefined);
        }}
      >
        {declining && (
          <DeclineForm
            round={round}
            line={declining}
            close={() => {
              setDeclining(undefined);
            }}
          />
        )}
      </Dialog>
    </>
  );
}

interface LineGiven {
  line: Line;
  may: boolean;
  choose: (option: Option) => void;
  decline: () => void;
}

function LineView({ line, may, choose, decline }: LineGiven): ReactNode {
  return (
    <details open={!line.decided}>
      <summary>
        {line.reference}: {number(line.quantity, 3)} × {line.item} for {line.customer ?? line.site}, needed{" "}
        {day(line.needed_on)}
        {line.decisions.map((decision) => (
          <strong key={decision.recorded_at}>
            {" "}
            — {decision.outcome === "chosen" ? `chosen: ${decision.supplier ?? ""}` : "declined"}, {decision.by_subject}
            : {decision.rationale}
          </strong>
        ))}
      </summary>
      <Scroll label={`Options of ${line.reference}`}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Supplier</th>
              <th scope="col" className="number">
                Quantity
              </th>
              <th scope="col" className="number">
                Landed cost
              </th>
              <th scope="col">Arrives</th>
              <th scope="col">What speaks against it</th>
              <th scope="col">
                <span className="unseen">Act</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {line.options.map((option) => (
              <tr key={option.alternative_id} className="option" data-feasible={option.feasible}>
                <td>{option.supplier}</td>
                <td className="number">{number(option.quantity, 3)}</td>
                <td className="number">
                  <Money value={option.landed_cost} sees="cost" />
                </td>
                <td className="nowrap">
                  {option.arrives_on ? day(option.arrives_on) : "unknown"}
                  {recovered(line, option)}
                </td>
                <td>
                  {!option.feasible && <strong>not feasible: </strong>}
                  {option.reasons.length === 0 ? "nothing" : option.reasons.join("; ")}
                </td>
                <td>
                  {may && option.feasible && (
                    <Button
                      onPress={() => {
                        choose(option);
                      }}
                      aria-label={`${words.acts.choose} ${option.supplier} for ${line.reference}`}
                    >
                      {words.acts.choose}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {may && (
        <Button onPress={decline}>
          {words.acts.decline} all of {line.reference}
        </Button>
      )}
    </details>
  );
}

function recovered(line: Line, option: Option): string {
  if (!line.expected_on || !option.arrives_on) return "";
  const days = Math.round((Date.parse(line.expected_on) - Date.parse(option.arrives_on)) / 86_400_000);
  return days > 0 ? `, ${days} d sooner` : "";
}

function useDecided(caseId: string, close: () => void, forget: () => void) {
  const queries = useQueryClient();
  return {
    onSuccess: () => {
      forget();
      close();
      void queries.invalidateQueries({ queryKey: ["case", caseId] });
    },
  };
}

function ChooseForm({ choosing: { round, options }, close }: { choosing: Choosing; close: () => void }): ReactNode {
  const [values, set, forget] = useDraft(`choose:${round.sourcing_id}`, { rationale: "" });
  const [key] = useState(newKey);
  const choice = useMutation({
    mutationFn: () =>
      ask(
        "procurement",
        api.procurement.POST("/sourcings/{sourcing_id}/choose", {
          params: { path: { sourcing_id: round.sourcing_id } },
          headers: onceHeaders(key),
          body: { alternative_ids: options.map(([, option]) => option.alternative_id), rationale: values.rationale },
        }),
      ),
    ...useDecided(round.case_id, close, forget),
  });
  return (
    <Form
      send={`${words.acts.choose}: orders are placed at once`}
      submit={() => {
        choice.mutate();
      }}
      close={close}
      isPending={choice.isPending}
      error={choice.error}
    >
      <ul>
        {options.map(([line, option]) => (
          <li key={option.alternative_id}>
            {line.reference}: {number(option.quantity, 3)} × {line.item} from {option.supplier}{" "}
            <Money value={option.landed_cost} sees="cost" />
          </li>
        ))}
      </ul>
      <Field
        label="Why this one"
        hint="The trade-off, for whoever asks later."
        lines
        required
        autoFocus
        value={values.rationale}
        set={(rationale) => {
          set({ rationale });
        }}
        wrong={aboutField(choice.error, "rationale")}
      />
    </Form>
  );
}

function DeclineForm({ round, line, close }: { round: Round; line: Line; close: () => void }): ReactNode {
  const [values, set, forget] = useDraft(`decline:${line.line_id}`, { reason: "" });
  const [key] = useState(newKey);
  const decline = useMutation({
    mutationFn: () =>
      ask(
        "procurement",
        api.procurement.POST("/sourcings/{sourcing_id}/decline", {
          params: { path: { sourcing_id: round.sourcing_id } },
          headers: onceHeaders(key),
          body: { line_id: line.line_id, reason: values.reason },
        }),
      ),
    ...useDecided(round.case_id, close, forget),
  });
  return (
    <Form
      send={words.acts.decline}
      submit={() => {
        decline.mutate();
      }}
      close={close}
      isPending={decline.isPending}
      error={decline.error}
    >
      <Field
        label="Reason"
        lines
        required
        autoFocus
        value={values.reason}
        set={(reason) => {
          set({ reason });
        }}
        wrong={aboutField(decline.error, "reason")}
      />
    </Form>
  );
}
