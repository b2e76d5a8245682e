import { describe, expect, it } from "vitest";
import { absolute, asInput, counted, day, shortDay, duration, micros, money, when } from "./format";

describe("duration", () => {
  it.each([
    [0, "0 s"],
    [0.473033, "0.473 s"],
    [1.25, "1.3 s"],
    [59, "59 s"],
    [60, "1 min"],
    [192, "3 min 12 s"],
    [3600, "1 h"],
    [187_200, "2 d 4 h"],
    [86_400 + 59, "1 d"],
    [86_400 + 61, "1 d"],
    [-90, "−1 min 30 s"],
  ])("writes %d seconds as %s", (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });

  it("says that a percentile was not reached", () => {
    expect(micros(null)).toBe("not reached");
    expect(micros(473_033)).toBe("0.473 s");
  });
});

describe("money", () => {
  it("keeps every digit of a large amount", () => {
    expect(money({ amount: "12345678901234567.89", currency: "USD" })).toBe("12,345,678,901,234,567.89 USD");
  });

  it("has the decimals of its currency", () => {
    expect(money({ amount: "600000.00", currency: "JPY" })).toBe("600,000 JPY");
    expect(money({ amount: "1.125", currency: "KWD" })).toBe("1.125 KWD");
  });
});

describe("when", () => {
  const now = Date.parse("2026-03-05T12:00:00Z");
  it("is relative within a day and absolute beyond", () => {
    expect(when("2026-03-05T11:00:00Z", now)).toBe("1 h ago");
    expect(when("2026-03-05T15:30:00Z", now)).toBe("in 3 h 30 min");
    expect(when("2026-03-01T11:00:00Z", now)).toBe(absolute("2026-03-01T11:00:00Z"));
  });

  it("writes an instant in a site's zone", () => {
    expect(absolute("2026-03-05T12:00:00Z", "Africa/Abidjan")).toBe("5 Mar 2026, 12:00 GMT");
    expect(absolute("2026-03-05T12:00:00Z", "Asia/Kolkata")).toContain("17:30");
  });
});

it("writes a day as it is in every zone", () => {
  expect(day("2026-11-27", 2025)).toBe("Fri, 27 Nov 2026");
  expect(day("2026-11-27", 2026)).toBe("Fri 27 Nov");
  expect(shortDay("2026-11-27")).toBe("27 Nov");
});

it("gives an input the reader's own time", () => {
  expect(asInput(new Date(2026, 2, 5, 9, 7))).toBe("2026-03-05T09:07");
});

it("counts one and many", () => {
  expect([counted(0, "line"), counted(1, "line"), counted(1200, "line")]).toEqual(["0 lines", "1 line", "1,200 lines"]);
});
