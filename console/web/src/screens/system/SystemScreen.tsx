/** Whether the machine is healthy: its processes, what lags, and what was set aside with its cause and its bytes. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, ask } from "../../api/client";
import type { components } from "../../api/generated/console";
import { duration, number } from "../../format";
import { Panel, Scroll } from "../../ui/Panel";
import { Failed, Loading } from "../../ui/States";
import { words } from "../../words";
import { DeadLetters } from "./DeadLetters";

const AGAIN_MS = 5_000;

export default function SystemScreen(): ReactNode {
  const system = useQuery({
    queryKey: ["system"],
    queryFn: () => ask("console", api.console.GET("/processes")),
    refetchInterval: AGAIN_MS,
  });
  return (
    <>
      <header>
        <h1>{words.screens.system}</h1>
      </header>
      {system.data === undefined ? (
        system.isError ? (
          <Failed error={system.error} again={() => void system.refetch()} />
        ) : (
          <Loading />
        )
      ) : (
        <Processes processes={system.data.processes} />
      )}
      <DeadLetters />
    </>
  );
}

type Process = components["schemas"]["Process"];

function stateOf(process: Process): string {
  if (!process.up) return "down";
  if (process.ready) return "ready";
  const waiting = Object.entries(process.parts).flatMap(([part, is]) => (is ? [] : [part]));
  return `not ready: ${waiting.join(", ")}`;
}

function Processes({ processes }: { processes: readonly Process[] }): ReactNode {
  const down = processes.filter((process) => !process.ready).length;
  return (
    <Panel
      title="Processes"
      note={
        <span className={down > 0 ? "late" : "quiet"}>
          {down > 0
            ? `${number(down)} of ${number(processes.length)} not ready`
            : `all ${number(processes.length)} ready`}
        </span>
      }
    >
      <Scroll label="Processes as a table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Process</th>
              <th scope="col">State</th>
              <th scope="col" className="number">
                Lag, events
              </th>
              <th scope="col" className="number">
                Moved last
              </th>
              <th scope="col" className="number">
                To publish
              </th>
              <th scope="col" className="number">
                Oldest of them
              </th>
              <th scope="col" className="number">
                Set aside
              </th>
              <th scope="col" className="number">
                Timers overdue
              </th>
            </tr>
          </thead>
          <tbody>
            {processes.map((process) => (
              <tr key={process.name}>
                <td>{process.name}</td>
                <td className={process.ready ? "" : "late"}>{stateOf(process)}</td>
                <td className="number">{counted(process.lag_events)}</td>
                <td className="number">{lasting(process.progress_age_seconds)}</td>
                <td className="number">{counted(process.outbox_pending_events)}</td>
                <td className="number">{lasting(process.outbox_oldest_seconds)}</td>
                <td className={`number ${process.dead_letters ? "late" : ""}`}>{counted(process.dead_letters)}</td>
                <td className="number">{counted(process.timers_overdue)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {processes
        .filter((process) => (process.velocity_difference ?? 0) > 0)
        .map((process) => (
          <p key={process.name} className="late">
            {process.name}: the stream and SQL differ in {counted(process.velocity_difference)} cases.
          </p>
        ))}
    </Panel>
  );
}

function counted(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : number(value);
}

function lasting(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : duration(Math.round(value));
}
