/** The figures over the stream, with their targets; counters move at once. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { api, ask } from "../../api/client";
import { setWorldNow } from "../../app/clock";
import { micros, number } from "../../format";

// A service that is down is told within five seconds of it.
const STANDING_MS = 2_500;
const VELOCITY_MS = 15_000;

function midnight(): string {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  return day.toISOString();
}

export function Figures(): ReactNode {
  const standing = useQuery({
    queryKey: ["figures"],
    queryFn: () => ask("exceptions", api.exceptions.GET("/cases/figures")),
    refetchInterval: STANDING_MS,
    retry: false,
  });
  const velocity = useQuery({
    queryKey: ["velocity", "today"],
    queryFn: () => ask("scorecard", api.scorecard.GET("/velocity", { params: { query: { since: midnight() } } })),
    refetchInterval: VELOCITY_MS,
    retry: false,
  });
  const asOf = standing.data?.as_of;
  useEffect(() => {
    if (asOf !== undefined) setWorldNow(asOf);
  }, [asOf]);
  const count = (value: number | undefined): string => (value === undefined ? "…" : number(value));
  const v = velocity.data;
  const target = v && <small> target {micros(v.target_us)}</small>;
  return (
    <dl className="figures" aria-label="Figures">
      <div>
        <dt>Decision velocity p50 today</dt>
        <dd>
          {v === undefined ? "…" : v.n === 0 ? "no case yet" : micros(v.p50_us)} {target}
        </dd>
      </div>
      <div>
        <dt>p90 today</dt>
        <dd>
          {v === undefined ? "…" : v.n === 0 ? "no case yet" : micros(v.p90_us)} {target}
        </dd>
      </div>
      <div>
        <dt>Open</dt>
        <dd>{count(standing.data?.open)}</dd>
      </div>
      <div>
        <dt>Unowned</dt>
        <dd>
          {count(standing.data?.unowned)} <small>target 0</small>
        </dd>
      </div>
      <div>
        <dt>Past a deadline</dt>
        <dd className={standing.data && standing.data.breaching > 0 ? "late" : ""}>
          {count(standing.data?.breaching)} <small>target 0</small>
        </dd>
      </div>
    </dl>
  );
}
