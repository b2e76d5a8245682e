/** Forecasts as a grid of item-sites by weeks, and what an override changed further on. Pure. */

import type { components as ForecastParts } from "../../api/generated/forecast";
import type { components as InventoryParts } from "../../api/generated/inventory";
import type { AlignedData } from "uplot";

export type Forecast = ForecastParts["schemas"]["ForecastWhole"];
export type Projection = InventoryParts["schemas"]["Projection"];

export interface Cell {
  week: string;
  baseline: string | undefined;
  /** What a person expects instead, with the reason. */
  override: Forecast["overrides"][number] | undefined;
  /** What was published last. */
  published: string | undefined;
}

/** Return the weeks that any of the forecasts knows, in order. */
export function weeksOf(forecasts: readonly Forecast[]): string[] {
  const weeks = forecasts.flatMap((forecast) => [
    ...forecast.baselines.map((one) => one.week_on),
    ...forecast.overrides.map((one) => one.week_on),
  ]);
  return [...new Set(weeks)].toSorted();
}

/** Return a forecast's cells by week; the latest override of a week holds. */
export function cellsOf(forecast: Forecast): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  const cell = (week: string): Cell => {
    const found = cells.get(week) ?? { week, baseline: undefined, override: undefined, published: undefined };
    cells.set(week, found);
    return found;
  };
  for (const one of forecast.baselines) cell(one.week_on).baseline = one.quantity;
  for (const one of forecast.overrides.toSorted((a, b) => a.recorded_at.localeCompare(b.recorded_at)))
    cell(one.week_on).override = one;
  for (const one of forecast.said) cell(one.week_on).published = one.quantity;
  return cells;
}

/** Return what is expected of a week now: the override where there is one. */
export function expected(cell: Cell): string | undefined {
  return cell.override?.after ?? cell.baseline;
}

/** Say whether something is expected that nobody else was told. */
export function isUnpublished(forecast: Forecast): boolean {
  return [...cellsOf(forecast).values()].some((cell) => expected(cell) !== cell.published);
}

/** Return day and projected stock, for a plot. */
export function stockData(projection: Projection): AlignedData {
  return [
    projection.days.map((_, place) => place),
    projection.days.map((day) => Number(day.projected)),
    projection.days.map(() => 0),
  ] as AlignedData;
}

export interface Short {
  day: string;
  by: number;
}

/** Return the first day on which projected stock is below zero, and by how much at most until it is covered again. */
export function firstShort(projection: Projection | undefined): Short | undefined {
  const from = projection?.days.findIndex((day) => Number(day.projected) < 0) ?? -1;
  if (projection === undefined || from < 0) return undefined;
  let worst = 0;
  for (const day of projection.days.slice(from)) {
    if (Number(day.projected) >= 0) break;
    worst = Math.min(worst, Number(day.projected));
  }
  return { day: projection.days[from]?.day ?? "", by: -worst };
}
