import { expect, it } from "vitest";
import { cellsOf, expected, firstShort, isUnpublished, weeksOf, type Forecast, type Projection } from "./demand";

const forecast = {
  baselines: [
    { week_on: "2026-03-09", quantity: "80" },
    { week_on: "2026-03-02", quantity: "70" },
  ],
  overrides: [
    { week_on: "2026-03-09", after: "500", recorded_at: "2026-03-01T10:00:00Z" },
    { week_on: "2026-03-09", after: "400", recorded_at: "2026-03-01T09:00:00Z" },
  ],
  said: [
    { week_on: "2026-03-02", quantity: "70" },
    { week_on: "2026-03-09", quantity: "80" },
  ],
} as unknown as Forecast;

it("shows the latest override of a week, and knows what nobody was told yet", () => {
  expect(weeksOf([forecast])).toEqual(["2026-03-02", "2026-03-09"]);
  const cell = cellsOf(forecast).get("2026-03-09");
  expect(cell && expected(cell)).toBe("500");
  expect(isUnpublished(forecast)).toBe(true);
  expect(isUnpublished({ ...forecast, overrides: [] })).toBe(false);
});

it("finds the first day short, and by how much at most until it is covered", () => {
  const days = ["5", "-3", "-8", "2", "-20"].map((projected, place) => ({ day: `2026-03-0${place + 1}`, projected }));
  expect(firstShort({ days } as unknown as Projection)).toEqual({ day: "2026-03-02", by: 8 });
  expect(firstShort({ days: [] } as unknown as Projection)).toBeUndefined();
});
