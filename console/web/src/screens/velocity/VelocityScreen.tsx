/** Whether we answer faster than before: the curve with open cases counted, its percentiles, and where the time goes. */

import { useQuery } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import { Link, useSearchParams } from "react-router";
import { api, ask } from "../../api/client";
import type { components } from "../../api/generated/scorecard";
import { worldNow } from "../../app/clock";
import { counted, micros, number, percent } from "../../format";
import { Choice } from "../../ui/Field";
import { Panel, Scroll } from "../../ui/Panel";
import { Plot, type Line } from "../../ui/Plot";
import { Severity, When } from "../../ui/Values";
import { Empty, Failed, Loading } from "../../ui/States";
import { words } from "../../words";
import { Cells } from "./Cells";
import { curveData, durations, percents, weekData, type Cell, type Curve } from "./plots";
import "../../style/plots.css";

const KINDS = ["shipment-delay", "shortage", "incident"] as const;
const SINCE = { "": "ever", "7": "last 7 days", "28": "last 28 days", "91": "last 91 days" } as const;
const DAY_MS = 86_400_000;
const AGAIN_MS = 15_000;

interface RequestedAct {
  kind?: (typeof KINDS)[number];
  severity?: "low" | "medium" | "high" | "critical";
  since?: string;
}

export default function VelocityScreen(): ReactNode {
  const [query, setQuery] = useSearchParams();
  const days = Number(query.get("days") ?? 0);
  const asked = useMemo<RequestedAct>(
    () => ({
      kind: KINDS.find((kind) => kind === query.get("kind")),
      severity: (["low", "medium", "high", "critical"] as const).find((one) => one === query.get("severity")),
      // Whole days: what is asked for stays the same question for a while.
      since: days > 0 ? new Date(Math.floor(worldNow() / DAY_MS) * DAY_MS - days * DAY_MS).toISOString() : undefined,
    }),
    [query, days],
  );
  const velocity = useQuery({
    queryKey: ["velocity", "all", asked],
    queryFn: () => ask("scorecard", api.scorecard.GET("/velocity", { params: { query: asked } })),
    refetchInterval: AGAIN_MS,
  });
  const pick = (name: string, label: string, options: readonly (readonly [string, string])[]): ReactNode => (
    <Choice
      label={label}
      value={query.get(name) ?? ""}
      set={(value) => {
        setQuery((now) => {
          const next = new URLSearchParams(now);
          if (value === "") next.delete(name);
          else next.set(name, value);
          return next;
        });
      }}
      options={options}
    />
  );
  return (
    <>
      <header>
        <h1>{words.screens.velocity}</h1>
        <div className="row push">
          {pick("kind", "Kind", [["", "every kind"], ...KINDS.map((kind) => [kind, kind] as const)])}
          {pick("severity", "Severity", [["", "every severity"], ...Object.entries(words.severity)])}
          {pick("days", "Identified", Object.entries(SINCE))}
        </div>
      </header>
      {velocity.data === undefined ? (
        velocity.isError ? (
          <Failed error={velocity.error} again={() => void velocity.refetch()} />
        ) : (
          <Loading />
        )
      ) : velocity.data.n === 0 ? (
        <Empty title="No case was measured yet.">
          <p className="quiet">
            A case counts from the moment it is identified. <Link to="/">The stream</Link> shows those that are open.
          </p>
        </Empty>
      ) : (
        <Answers velocity={velocity.data} asked={asked} />
      )}
    </>
  );
}

type Velocity = Omit<components["schemas"]["VelocityShown"], "bands_us"> & {
  bands_us: Record<string, (number | null)[]>;
};

type PhasesShown = components["schemas"]["PhasesShown"];

function Answers({ velocity, asked }: { velocity: Velocity; asked: RequestedAct }): ReactNode {
  return (
    <div className="stack">
      <Percentiles velocity={velocity} />
      <CurvePanel asked={asked} />
      <Phases asked={asked} />
      <Weeks asked={asked} />
      <div className="side-by-side">
        <Cells asked={asked} what="function" title="Last to act" />
        <Cells asked={asked} what="pair" title="Hand-overs, slowest first" />
        <Cells asked={asked} what="kind" title="By kind" />
        <Cells asked={asked} what="severity" title="By severity" />
      </div>
      <Overdue asked={asked} />
    </div>
  );
}

function interval([lower, upper]: readonly (number | null)[] = []): string {
  return (lower ?? upper ?? null) === null ? "interval not reached" : `${micros(lower)} to ${micros(upper)}`;
}

function Percentiles({ velocity }: { velocity: Velocity }): ReactNode {
  return (
    <>
      <dl className="figures" aria-label="Decision velocity">
        {(["p50", "p90", "p95"] as const).map((name) => (
          <div key={name}>
            <dt>{name}, from identified to coordinated response</dt>
            <dd>
              {micros(velocity[`${name}_us`])} <small>{interval(velocity.bands_us[name])}</small>
            </dd>
          </div>
        ))}
        <div>
          <dt>Within target</dt>
          <dd>
            {velocity.within_target === null ? "none yet" : percent(velocity.within_target)}{" "}
            <small>target {micros(velocity.target_us)}</small>
          </dd>
        </div>
        <div>
          <dt>Cases</dt>
          <dd>
            {number(velocity.n)}{" "}
            <small>
              {number(velocity.implemented)} answered, {number(velocity.open)} open, {number(velocity.cleared)} cleared
            </small>
          </dd>
        </div>
      </dl>
      <p className="quiet">
        Open cases count with the time they have lasted.{" "}
        {velocity.naive_p50_us !== velocity.p50_us &&
          `Leaving them out would give a median of ${micros(velocity.naive_p50_us)}, which is too good. `}
        Acknowledged after {micros(velocity.acknowledge_p50_us)} (median). {counted(velocity.handoffs, "hand-over")}.
      </p>
    </>
  );
}

const CURVE_LINES: readonly Line[] = [
  { label: "upper bound (95 %)", colour: "--text-2", stepped: true, dashed: true },
  { label: "lower bound (95 %)", colour: "--text-2", stepped: true, dashed: true },
  { label: "still without a response", colour: "--accent", stepped: true },
];
const CURVE_X = { label: "time since identified", log: true, values: durations };
const CURVE_Y = { label: "share of cases", values: percents, range: [0, 1] as [number, number] };
const CURVE_BAND = [1, 2] as const;

function CurvePanel({ asked }: { asked: RequestedAct }): ReactNode {
  const curve = useQuery({
    queryKey: ["velocity", "curve", asked],
    queryFn: () =>
      ask("scorecard", api.scorecard.GET("/velocity/curve", { params: { query: { ...asked, most: 200 } } })),
    refetchInterval: AGAIN_MS,
  });
  return (
    <Panel title="How long cases stay without a coordinated response" label="Survival curve" asked={curve}>
      {curve.data && <CurvePlot curve={curve.data} />}
    </Panel>
  );
}

function CurvePlot({ curve }: { curve: Curve }): ReactNode {
  const data = useMemo(() => curveData(curve), [curve]);
  if (curve.points.length === 0)
    return <p className="quiet">No case was answered yet: {number(curve.censored)} are open or cleared.</p>;
  return (
    <Plot
      label="Share of cases without a coordinated response over the time since they were identified"
      data={data}
      lines={CURVE_LINES}
      band={CURVE_BAND}
      x={CURVE_X}
      y={CURVE_Y}
    >
      <Scroll label="Survival curve as a table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col" className="number">
                After
              </th>
              <th scope="col" className="number">
                Still without
              </th>
              <th scope="col" className="number">
                Between
              </th>
            </tr>
          </thead>
          <tbody>
            {curve.points.map((point) => (
              <tr key={point.us}>
                <td className="number">{micros(point.us)}</td>
                <td className="number">{percent(point.share)}</td>
                <td className="number">
                  {point.lower === null || point.upper === null
                    ? ""
                    : `${percent(point.lower)} and ${percent(point.upper)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Plot>
  );
}

function Phases({ asked }: { asked: RequestedAct }): ReactNode {
  const phases = useQuery({
    queryKey: ["velocity", "phases", asked],
    queryFn: () => ask("scorecard", api.scorecard.GET("/velocity/phases", { params: { query: asked } })),
    refetchInterval: AGAIN_MS,
  });
  const note = phases.data && (
    <span className="quiet">blind time before identification, apart: {micros(phases.data.blind.p50_us)} (median)</span>
  );
  return (
    <Panel title="Where the time goes" label="Phases" note={note} asked={phases}>
      {phases.data && <PhasesBar phases={phases.data} />}
    </Panel>
  );
}

function PhasesBar({ phases: { response, response_us } }: { phases: PhasesShown }): ReactNode {
  const share = (us: number): string => percent(response_us === 0 ? 0 : us / response_us);
  const shown = response.filter((phase) => phase.total_us > 0);
  return (
    <>
      <div
        className="bar"
        role="img"
        aria-label={shown.map((phase) => `${phase.phase} ${share(phase.total_us)}`).join(", ")}
      >
        {shown.map((phase) => (
          <span
            key={phase.phase}
            style={{ flexGrow: phase.total_us, flexBasis: 0 }}
            title={`${phase.phase}: ${share(phase.total_us)}`}
          >
            {phase.phase}
          </span>
        ))}
      </div>
      <Scroll label="Phases as a table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Phase</th>
              <th scope="col" className="number">
                Median
              </th>
              <th scope="col" className="number">
                p90
              </th>
              <th scope="col" className="number">
                Share of the response
              </th>
              <th scope="col" className="number">
                In it now
              </th>
            </tr>
          </thead>
          <tbody>
            {response.map((phase) => (
              <tr key={phase.phase}>
                <td>{phase.phase}</td>
                <td className="number">{micros(phase.p50_us)}</td>
                <td className="number">{micros(phase.p90_us)}</td>
                <td className="number">{share(phase.total_us)}</td>
                <td className="number">{number(phase.standing)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

const WEEK_LINES: readonly Line[] = [
  { label: "p50", colour: "--accent" },
  { label: "p90", colour: "--text-2", dashed: true },
];

function Weeks({ asked }: { asked: RequestedAct }): ReactNode {
  const weeks = useQuery({
    queryKey: ["velocity", "by", "week", asked],
    queryFn: () =>
      ask("scorecard", api.scorecard.GET("/velocity/by/{what}", { params: { path: { what: "week" }, query: asked } })),
  });
  return (
    <Panel title="By week of identification" label="Weekly trend" asked={weeks}>
      {weeks.data && <WeekPlot cells={weeks.data.items} />}
    </Panel>
  );
}

function WeekPlot({ cells }: { cells: readonly Cell[] }): ReactNode {
  const data = useMemo(() => weekData(cells), [cells]);
  const names = useMemo(
    () =>
      cells
        .filter((cell) => !cell.hidden)
        .map((cell) => cell.cell)
        .toSorted(),
    [cells],
  );
  const x = useMemo(
    () => ({
      label: "week of identification",
      values: (splits: number[]) => splits.map((split) => names[split] ?? ""),
    }),
    [names],
  );
  const y = useMemo(() => ({ label: "duration", values: durations }), []);
  const table = (
    <ul>
      {cells.map((cell) => (
        <li key={cell.cell}>
          {cell.cell}:{" "}
          {cell.hidden
            ? `${number(cell.n)} cases, too few to show`
            : `p50 ${micros(cell.p50_us)}, p90 ${micros(cell.p90_us)}, ${number(cell.n)} cases`}
        </li>
      ))}
    </ul>
  );
  if (names.length < 2) return table;
  return (
    <Plot label="p50 and p90 by week of identification" data={data} lines={WEEK_LINES} x={x} y={y}>
      {table}
    </Plot>
  );
}

function Overdue({ asked }: { asked: RequestedAct }): ReactNode {
  const overdue = useQuery({
    queryKey: ["velocity", "overdue", asked],
    queryFn: () => ask("scorecard", api.scorecard.GET("/velocity/overdue", { params: { query: asked } })),
    refetchInterval: AGAIN_MS,
  });
  const note = overdue.data && (
    <span className="quiet">
      {overdue.data.p90_us === null
        ? "p90 is not reached"
        : `${number(overdue.data.count)} beyond ${micros(overdue.data.p90_us)}`}
    </span>
  );
  return (
    <Panel title="Open for longer than nine of ten" label="Overdue" note={note} asked={overdue}>
      <ul>
        {overdue.data?.items.map((one) => (
          <li key={one.case_id} className="row">
            <Severity level={one.severity} /> <Link to={`/cases/${one.case_id}`}>{one.cause_kind}</Link>{" "}
            {micros(one.elapsed_us)}, identified <When at={one.identified_at} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}
