/** What the velocity screen plots, made from what the scorecard answers. Pure. */

import type { AlignedData } from "uplot";
import type { components } from "../../api/generated/scorecard";
import { duration } from "../../format";

export type Curve = components["schemas"]["CurveShown"];
export type Cell = Omit<components["schemas"]["CellShown"], "bands_us">;

const SECOND = 1e6;
/** A logarithm needs a beginning: what lasted less than a millisecond stands at one. */
const SHORTEST = 0.001;

/** Return duration, upper and lower bound, and share, which is drawn over its band; the curve begins at one, and a point without a band has none. */
export function curveData(curve: Curve): AlignedData {
  const xs = curve.points.map((point) => Math.max(point.us / SECOND, SHORTEST));
  return [
    [(xs[0] ?? 1) / 2, ...xs],
    [1, ...curve.points.map((point) => point.upper)],
    [1, ...curve.points.map((point) => point.lower)],
    [1, ...curve.points.map((point) => point.share)],
  ] as AlignedData;
}

/** Return week, p50 and p90 of each week, oldest first, in seconds; what was not reached is a gap. */
export function weekData(cells: readonly Cell[]): AlignedData {
  const weeks = cells.filter((cell) => !cell.hidden).toSorted((a, b) => a.cell.localeCompare(b.cell));
  const seconds = (us: number | null): number | null => (us === null ? null : us / SECOND);
  return [
    weeks.map((_, place) => place),
    weeks.map((cell) => seconds(cell.p50_us)),
    weeks.map((cell) => seconds(cell.p90_us)),
  ] as AlignedData;
}

/** Write the durations of an axis; a logarithmic one leaves out what has no room. */
export function durations(splits: (number | null)[]): string[] {
  return splits.map((split) => (split === null ? "" : duration(split)));
}

export function percents(splits: number[]): string[] {
  return splits.map((split) => `${Math.round(split * 100)} %`);
}
