/** If sales changes this, what happens: the forecast with its overrides, projected stock, shortages, and the chain as it arrives. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState, type ReactNode } from "react";
import { Link, useSearchParams } from "react-router";
import { api, ask } from "../../api/client";
import type { components } from "../../api/generated/inventory";
import { day, number, shortDay } from "../../format";
import { fetchDetails } from "../../app/fetchDetails";
import type { Fact } from "../../live/protocol";
import { useFacts } from "../../live/stream";
import { Panel, Scroll } from "../../ui/Panel";
import { Plot, type Line } from "../../ui/Plot";
import { Empty, Failed, Loading } from "../../ui/States";
import { words } from "../../words";
import { ForecastGrid } from "./ForecastGrid";
import { firstShort, stockData, type Forecast, type Projection, type Short } from "./demand";
import "../../style/plots.css";

const AGAIN_MS = 5_000;
const ROWS_MAX = 200;

export interface Place {
  item: string;
  site: string;
}

export default function PlanningScreen(): ReactNode {
  const [query, setQuery] = useSearchParams();
  const stock = useQuery({
    queryKey: ["planning", "stock"],
    queryFn: () => ask("inventory", api.inventory.GET("/stock", { params: { query: { limit: ROWS_MAX } } })),
    refetchInterval: AGAIN_MS,
  });
  const first = stock.data?.items[0];
  const item = query.get("item") ?? first?.item;
  const site = query.get("site") ?? first?.site;
  const place = useMemo(() => (item === undefined || site === undefined ? undefined : { item, site }), [item, site]);
  const choose = useCallback(
    (chosen: Place) => {
      setQuery({ item: chosen.item, site: chosen.site }, { replace: true });
    },
    [setQuery],
  );
  if (stock.isError && stock.data === undefined)
    return <Failed error={stock.error} again={() => void stock.refetch()} />;
  if (stock.isPending) return <Loading />;
  return (
    <>
      <header>
        <h1>{words.screens.planning}</h1>
      </header>
      <Demand choose={choose} />
      {place === undefined ? (
        <Empty title="No stock is known yet.">
          <p className="quiet">
            Items and their stock come from the warehouse; `crossdock demo` brings a small network.
          </p>
        </Empty>
      ) : (
        <ProjectionPanel place={place} />
      )}
      <Chain place={place} />
      <Shortages choose={choose} />
      <Stock stock={stock.data.items} chosen={place} choose={choose} />
    </>
  );
}

function Demand({ choose }: { choose: (place: Place) => void }): ReactNode {
  const queries = useQueryClient();
  const forecasts = useQuery({
    queryKey: ["planning", "forecasts"],
    queryFn: async (): Promise<Forecast[]> => {
      const page = await ask("forecast", api.forecast.GET("/forecasts", { params: { query: { limit: ROWS_MAX } } }));
      return fetchDetails(queries, "forecast", page.items, (one) =>
        ask(
          "forecast",
          api.forecast.GET("/forecasts/{forecast_id}", { params: { path: { forecast_id: one.forecast_id } } }),
        ),
      );
    },
    refetchInterval: AGAIN_MS,
  });
  return (
    <Panel
      title="Forecast"
      note={
        <span className="quiet">
          per week that begins on the Monday; an override needs a reason, the baseline stays
        </span>
      }
      asked={forecasts}
    >
      {forecasts.data?.length === 0 && (
        <p className="quiet">No forecast is known yet; it comes from the planning system by `POST /forecasts:batch`.</p>
      )}
      {forecasts.data && forecasts.data.length > 0 && <ForecastGrid forecasts={forecasts.data} choose={choose} />}
    </Panel>
  );
}

function useProjection(place: Place | undefined) {
  return useQuery({
    queryKey: ["planning", "projection", place],
    enabled: place !== undefined,
    queryFn: () =>
      ask(
        "inventory",
        api.inventory.GET("/projections", { params: { query: { item: place?.item ?? "", site: place?.site ?? "" } } }),
      ),
    refetchInterval: AGAIN_MS,
  });
}

const STOCK_LINES: readonly Line[] = [
  { label: "projected stock", colour: "--accent", stepped: true },
  { label: "nothing left", colour: "--late", dashed: true },
];

function ProjectionPanel({ place }: { place: Place }): ReactNode {
  const projection = useProjection(place);
  const promise = useQuery({
    queryKey: ["planning", "promise", place],
    queryFn: () => ask("inventory", api.inventory.GET("/available-to-promise", { params: { query: place } })),
    refetchInterval: AGAIN_MS,
  });
  const short = firstShort(projection.data);
  const next = promise.data?.buckets.find((bucket) => Number(bucket.cumulative) > 0);
  return (
    <Panel
      title={`${place.item} at ${place.site}`}
      label="Projected stock"
      note={
        <>
          <span className={short ? "late" : "quiet"}>{projection.data && shortWords(short)}</span>
          {next && (
            <span className="quiet">
              available to promise from {day(next.from_on)}: {number(next.cumulative, 3)}
            </span>
          )}
        </>
      }
      asked={projection}
    >
      {projection.data && <StockPlot projection={projection.data} />}
    </Panel>
  );
}

function shortWords(short: Short | undefined): string {
  return short ? `short on ${day(short.day)} by ${number(short.by, 3)}` : "not short";
}

function StockPlot({ projection }: { projection: Projection }): ReactNode {
  const data = useMemo(() => stockData(projection), [projection]);
  const names = useMemo(() => projection.days.map((one) => shortDay(one.day)), [projection]);
  const x = useMemo(
    () => ({ label: "day", values: (splits: number[]) => splits.map((split) => names[split] ?? "") }),
    [names],
  );
  const y = useMemo(
    () => ({ label: "quantity", values: (splits: number[]) => splits.map((split) => number(split)) }),
    [],
  );
  if (projection.state === "unknown") return <p className="quiet">Nothing is known of this item at this site.</p>;
  return (
    <Plot
      label={`Projected stock of ${projection.item} at ${projection.site}, day by day`}
      data={data}
      lines={STOCK_LINES}
      x={x}
      y={y}
    >
      <Scroll label="Projected stock as a table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col" className="number">
                Inbound
              </th>
              <th scope="col" className="number">
                Orders
              </th>
              <th scope="col" className="number">
                Forecast
              </th>
              <th scope="col" className="number">
                Projected
              </th>
            </tr>
          </thead>
          <tbody>
            {projection.days.map((one) => (
              <tr key={one.day}>
                <td>{day(one.day)}</td>
                <td className="number">{number(one.inbound, 3)}</td>
                <td className="number">{number(one.orders, 3)}</td>
                <td className="number">{number(one.forecast, 3)}</td>
                <td className={`number ${Number(one.projected) < 0 ? "late-cell" : ""}`}>{number(one.projected, 3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Plot>
  );
}

interface Effect {
  at: string;
  said: string;
  caseId?: string;
}

const EFFECTS_MAX = 20;

/** What followed, as it arrives: a case that a shortage opened, or whose impact changed. */
function Chain({ place }: { place: Place | undefined }): ReactNode {
  const [effects, setEffects] = useState<readonly Effect[]>([]);
  const queries = useQueryClient();
  useFacts(
    useCallback(
      (facts: Fact[]) => {
        const heard = facts
          .filter(
            (fact) =>
              fact.type.startsWith("exceptions.case.opened") || fact.type.startsWith("exceptions.case.reassessed"),
          )
          .map((fact) => ({
            at: fact.time,
            caseId: fact.data.case_id,
            said: fact.type.includes("opened")
              ? `Case opened: ${String(fact.data.headline)}`
              : `Case assessed again, because of ${String(fact.data.because)}`,
          }));
        if (heard.length === 0) return;
        setEffects((before) => [...heard.toReversed(), ...before].slice(0, EFFECTS_MAX));
        void queries.invalidateQueries({ queryKey: ["planning"] });
      },
      [queries],
    ),
  );
  const projection = useProjection(place);
  const short = firstShort(projection.data);
  const [before, setBefore] = useState<{ key: string; short: string }>();
  const now =
    place && projection.data
      ? {
          key: `${place.item} ${place.site}`,
          short: shortWords(short),
        }
      : undefined;
  // A changed projection of the same place is an effect; another place is another question.
  if (now !== undefined && (before?.key !== now.key || before.short !== now.short)) {
    if (before?.key === now.key) {
      const said = `Projection of ${place?.item ?? ""} at ${place?.site ?? ""}: ${before.short} → ${now.short}`;
      setEffects([{ at: new Date().toISOString(), said }, ...effects].slice(0, EFFECTS_MAX));
    }
    setBefore(now);
  }
  return (
    <Panel
      title="What follows"
      label="Effects"
      note={effects.length === 0 && <span className="quiet">effects of a change appear here as they arrive</span>}
    >
      <ol aria-live="polite">
        {effects.map((effect) => (
          <li key={`${effect.at} ${effect.said}`}>
            {effect.caseId === undefined ? effect.said : <Link to={`/cases/${effect.caseId}`}>{effect.said}</Link>}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Shortages({ choose }: { choose: (place: Place) => void }): ReactNode {
  const shortages = useQuery({
    queryKey: ["planning", "shortages"],
    queryFn: () =>
      ask("inventory", api.inventory.GET("/shortages", { params: { query: { state: "predicted", limit: ROWS_MAX } } })),
    refetchInterval: AGAIN_MS,
  });
  return (
    <Panel
      title="Shortages"
      note={shortages.data?.items.length === 0 && <span className="quiet">none is predicted</span>}
      asked={shortages}
    >
      <ul>
        {shortages.data?.items.map((one) => (
          <li key={one.stock_id} className="row">
            <button
              type="button"
              className="toggle"
              onClick={() => {
                choose(one);
              }}
            >
              {one.item} at {one.site}
            </button>
            <span className="late">
              {number(one.quantity, 3)} short on {day(one.short_on)}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

type StockShown = components["schemas"]["StockShown"];

function Stock({
  stock,
  chosen,
  choose,
}: {
  stock: readonly StockShown[];
  chosen: Place | undefined;
  choose: (place: Place) => void;
}): ReactNode {
  return (
    <Panel title="Stock">
      <ul className="row">
        {stock.map((one) => {
          const is = one.item === chosen?.item && one.site === chosen.site;
          return (
            <li key={one.stock_id}>
              <button
                type="button"
                className="toggle"
                aria-pressed={is}
                data-selected={is || undefined}
                onClick={() => {
                  choose(one);
                }}
              >
                {one.item} at {one.site}: {number(one.on_hand, 3)}
              </button>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
