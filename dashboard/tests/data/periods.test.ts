import { describe, expect, it } from "vitest";
import { boardSince, PERIODS, type Range, rangeOf } from "#data/periods.ts";

describe("rangeOf", () => {
  it.each<[string, Range["period"], string]>([
    ["2026-08-12", "day", "2026-08-12"],
    ["2026-08-12", "week", "2026-08-10"],
    ["2026-08-10", "week", "2026-08-10"],
    ["2026-08-16", "week", "2026-08-10"],
    ["2026-01-01", "week", "2025-12-29"],
    ["2028-03-01", "week", "2028-02-28"],
    ["2026-08-12", "month", "2026-08-01"],
    ["2026-08-01", "month", "2026-08-01"],
    ["2028-02-29", "month", "2028-02-01"],
    ["2026-12-31", "month", "2026-12-01"],
    ["2025-12-22", "total", "2024-01-01"],
    ["2026-01-31", "total", "2024-02-01"],
    ["2026-12-01", "total", "2025-01-01"],
    ["2028-02-29", "total", "2026-03-01"],
  ])("[DSH-06] seen from %s, the %s begins on %s", (today, period, from) => {
    expect(rangeOf(period, today)).toEqual({ period, from, to: today });
  });

  it("[DSH-06] there are four periods", () => {
    expect(PERIODS).toEqual(["day", "week", "month", "total"]);
  });
});

describe("boardSince", () => {
  it.each<[string, Range["period"], string | null]>([
    ["2026-08-12", "day", "2026-08-12"],
    ["2026-08-12", "week", "2026-08-09"],
    ["2026-08-15", "week", "2026-08-09"],
    ["2026-08-16", "week", "2026-08-16"],
    ["2026-01-02", "week", "2025-12-28"],
    ["2026-08-31", "month", "2026-08-01"],
    ["2026-08-31", "total", null],
  ])("[DSH-14] seen from %s, the board of the %s begins on %s", (today, period, since) => {
    expect(boardSince(period, today)).toBe(since);
  });
});
