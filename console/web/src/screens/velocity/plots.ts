/** What the velocity screen plots, made from what the scorecard answers. Pure. */

import type { AlignedData } from "uplot";
import type { components } from "../../api/generated/scorecard";
import { duration } from "../../format";

export type Curve = components["schemas"]["CurveShown"];
export type Cell = Omit<components["schemas"]["CellShown"], "bands_us">;

const SECOND = 1e6;
/** A logarithm needs a beginning: what lasted less than a second stands at one. */
const SHORTEST = 1;

/** Return duration, share, lower and upper bound; the curve begins at one, and a point without a band has none. */
export function curveData(curve: Curve): AlignedData {
  const xs = curve.points.map((point) => Math.max(point.us / SECOND, SHORTEST));
  return [
    xs,
    curve.points.map((point) => point.share),
    curve.points.map((point) => point.upper),
    curve.points.map((point) => point.lower),
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

export function durations(splits: number[]): string[] {
  return splits.map((split) => duration(split));
}

export function percents(splits: number[]): string[] {
  return splits.map((split) => `${Math.round(split * 100)} %`);
}
