/** The forecast as a grid: a press on a cell overrides it, with a reason; publishing tells everybody. */

import { useMutation, useMutationState, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { aboutField, api, ask, newKey, onceHeaders } from "../../api/client";
import { useDraft } from "../../app/draft";
import { useSession } from "../../app/session";
import { day, number, shortDay } from "../../format";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Form } from "../../ui/Form";
import { Scroll } from "../../ui/Panel";
import { Refusal } from "../../ui/States";
import { cellsOf, expected, isUnpublished, weeksOf, type Forecast } from "./demand";
import type { Place } from "./PlanningScreen";

const OVERRIDE = ["override"];

interface Override {
  id: string;
  week: string;
  quantity: string;
}

interface RequestedAct {
  forecast: Forecast;
  week: string;
}

export function ForecastGrid({
  forecasts,
  choose,
}: {
  forecasts: readonly Forecast[];
  choose: (place: Place) => void;
}): ReactNode {
  const { session } = useSession();
  const may = session.roles.some((role) => ["sales", "planning-lead"].includes(role));
  const [asked, setAsked] = useState<RequestedAct>();
  const pending = useMutationState({
    filters: { mutationKey: OVERRIDE, status: "pending" },
    select: (mutation) => mutation.state.variables as Override,
  });
  const weeks = weeksOf(forecasts);
  return (
    <>
      <Scroll label="Forecast by week">
        <table className="table grid-table">
          <thead>
            <tr>
              <th scope="col">Item at site</th>
              {weeks.map((week) => (
                <th key={week} scope="col" className="number" title={day(week)}>
                  {shortDay(week)}
                </th>
              ))}
              <th scope="col">Published</th>
            </tr>
          </thead>
          <tbody>
            {forecasts.map((forecast) => (
              <Row
                key={forecast.forecast_id}
                forecast={forecast}
                weeks={weeks}
                may={may}
                pending={pending}
                ask={setAsked}
                choose={choose}
              />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Dialog
        title={asked ? `${asked.forecast.item} at ${asked.forecast.site}, week of ${day(asked.week)}` : ""}
        open={asked !== undefined}
        close={() => {
          setAsked(undefined);
        }}
      >
        {asked && (
          <OverrideForm
            asked={asked}
            close={() => {
              setAsked(undefined);
            }}
          />
        )}
      </Dialog>
    </>
  );
}

interface RowGiven {
  forecast: Forecast;
  weeks: readonly string[];
  may: boolean;
  pending: readonly Override[];
  ask: (asked: RequestedAct) => void;
  choose: (place: Place) => void;
}

function Row({ forecast, weeks, may, pending, ask: askFor, choose }: RowGiven): ReactNode {
  const cells = cellsOf(forecast);
  const queries = useQueryClient();
  const [key, setKey] = useState(newKey); // the same until it is done: pressed again after a lost answer it is one act
  const publish = useMutation({
    mutationFn: () =>
      ask(
        "forecast",
        api.forecast.POST("/forecasts/{forecast_id}/publish", {
          params: { path: { forecast_id: forecast.forecast_id } },
          headers: onceHeaders(key),
        }),
      ),
    onSuccess: () => {
      setKey(newKey());
      return queries.invalidateQueries({ queryKey: ["planning"] });
    },
  });
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          className="toggle"
          onClick={() => {
            choose(forecast);
          }}
        >
          {forecast.item} at {forecast.site}
        </button>
      </th>
      {weeks.map((week) => {
        const cell = cells.get(week);
        const waiting = pending.find((one) => one.id === forecast.forecast_id && one.week === week)?.quantity;
        const value = waiting ?? (cell && expected(cell));
        const override = cell?.override;
        const title = override
          ? `${override.by_subject}: ${override.reason} (baseline ${cell.baseline ?? "none"})`
          : "baseline";
        if (!may)
          return (
            <td key={week} className="number" title={title}>
              {value === undefined ? "" : number(value, 3)}
            </td>
          );
        return (
          <td key={week} className="number">
            <button
              type="button"
              className={`button ${waiting === undefined ? "" : "pending"}`}
              data-overridden={override ? true : undefined}
              title={title}
              aria-label={`${forecast.item} at ${forecast.site}, week of ${day(week)}: ${value ?? "nothing"}; override`}
              onClick={() => {
                choose(forecast);
                askFor({ forecast, week });
              }}
            >
              {value === undefined ? "–" : number(value, 3)}
              {override ? " *" : ""}
            </button>
          </td>
        );
      })}
      <td>
        <div className="row">
          {forecast.published === 0 ? "never" : `version ${forecast.published}`}
          {may && isUnpublished(forecast) && (
            <Button
              kind="main"
              isPending={publish.isPending}
              aria-label={`Publish ${forecast.item} at ${forecast.site}`}
              onPress={() => {
                choose(forecast);
                publish.mutate();
              }}
            >
              Publish
            </Button>
          )}
        </div>
        {publish.isError && <Refusal error={publish.error} />}
      </td>
    </tr>
  );
}

function OverrideForm({ asked: { forecast, week }, close }: { asked: RequestedAct; close: () => void }): ReactNode {
  const cell = cellsOf(forecast).get(week);
  const [values, set, forget] = useDraft(`override:${forecast.forecast_id} ${week}`, {
    quantity: (cell && expected(cell)) ?? "",
    reason: "",
    expires_on: "",
  });
  const [key] = useState(newKey);
  const queries = useQueryClient();
  const override = useMutation({
    mutationKey: OVERRIDE,
    mutationFn: (given: Override) =>
      ask(
        "forecast",
        api.forecast.POST("/forecasts/{forecast_id}/overrides", {
          params: { path: { forecast_id: forecast.forecast_id } },
          headers: onceHeaders(key),
          body: {
            week_on: given.week,
            quantity: given.quantity,
            reason: values.reason,
            expires_on: values.expires_on === "" ? null : values.expires_on,
          },
        }),
      ),
    onSuccess: async () => {
      forget();
      close();
      await queries.invalidateQueries({ queryKey: ["planning"] });
    },
  });
  return (
    <Form
      send="Override"
      submit={() => {
        override.mutate({ id: forecast.forecast_id, week, quantity: values.quantity });
      }}
      close={close}
      isPending={override.isPending}
      error={override.error}
    >
      <p className="quiet">
        Baseline {cell?.baseline ?? "none"}
        {cell?.override &&
          `; overridden to ${cell.override.after} by ${cell.override.by_subject}: ${cell.override.reason}`}
      </p>
      <Field
        label="Quantity"
        type="number"
        required
        autoFocus
        value={values.quantity}
        set={(quantity) => {
          set({ ...values, quantity });
        }}
        wrong={aboutField(override.error, "quantity")}
      />
      <Field
        label="Reason"
        lines
        required
        value={values.reason}
        set={(reason) => {
          set({ ...values, reason });
        }}
        wrong={aboutField(override.error, "reason")}
      />
      <Field
        label="Holds until (if it ends)"
        type="date"
        value={values.expires_on}
        set={(expires_on) => {
          set({ ...values, expires_on });
        }}
        wrong={aboutField(override.error, "expires_on")}
      />
    </Form>
  );
}
