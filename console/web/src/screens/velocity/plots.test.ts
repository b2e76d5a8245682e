import { expect, it } from "vitest";
import { curveData, weekData, type Cell, type Curve } from "./plots";

it("plots the curve in seconds, with its band, and from one on", () => {
  const curve = {
    points: [
      { us: 473_033, share: 0.5, lower: 0.1, upper: 0.8 },
      { us: 7_200_000_000, share: 0, lower: null, upper: null },
    ],
  } as unknown as Curve;
  expect(curveData(curve)).toEqual([
    [0.2365165, 0.473033, 7200],
    [1, 0.8, null],
    [1, 0.1, null],
    [1, 0.5, 0],
  ]);
});

it("plots weeks from the oldest on, without those that are hidden", () => {
  const cells = [
    { cell: "2026-03-09", hidden: false, p50_us: 2e6, p90_us: null },
    { cell: "2026-03-02", hidden: false, p50_us: 1e6, p90_us: 4e6 },
    { cell: "2026-02-23", hidden: true, p50_us: null, p90_us: null },
  ] as unknown as Cell[];
  expect(weekData(cells)).toEqual([
    [0, 1],
    [1, 2],
    [4, null],
  ]);
});
