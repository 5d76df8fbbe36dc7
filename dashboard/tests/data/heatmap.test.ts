import { describe, expect, it } from "vitest";
import { addDays, type Day } from "#data/days.ts";
import { gridOf } from "#data/heatmap.ts";
import type { Heatmap } from "#data/wire.ts";
import { range } from "./answers.ts";

/** Weeks from `from` on, with the tokens and levels of some days, until `to`. */
function heatmapOf(
  from: Day,
  weeks: number,
  to: Day,
  used: Record<Day, [value: string, level: number]> = {},
  week_starts_on: Heatmap["week_starts_on"] = "mon",
): Heatmap {
  const cellOf = (day: Day) => {
    const [value, level] = used[day] ?? ["0", 0];
    return day <= to ? { day, value, level } : null;
  };
  return {
    from,
    to,
    week_starts_on,
    weeks: range(0, weeks).map((week) =>
      range(0, 7).map((row) => cellOf(addDays(from, week * 7 + row))),
    ),
    thresholds: ["0", "0", "0"],
    active_days: Object.keys(used).length,
    streak_days: 1,
  };
}

const monthsOf = (heatmap: Heatmap) =>
  gridOf(heatmap)
    .months.map(({ column, text }) => `${column}:${text}`)
    .join(" ");

describe("gridOf", () => {
  it("[DSH-04] has a cell for each day, and none for days to come", () => {
    const { weeks } = gridOf(heatmapOf("2026-08-03", 2, "2026-08-12"));
    expect(weeks.map((week) => week.map((cell) => cell?.day.slice(8) ?? "--").join(" "))).toEqual([
      "03 04 05 06 07 08 09",
      "10 11 12 -- -- -- --",
    ]);
  });

  it("[DSH-04] keeps levels, huge numbers and zeros", () => {
    const used: Record<Day, [string, number]> = {
      "2026-08-10": ["1", 1],
      "2026-08-11": ["20", 2],
      "2026-08-12": ["300", 3],
      "2026-08-13": ["9007199254740993", 4],
    };
    const grid = gridOf(heatmapOf("2026-08-10", 1, "2026-08-14", used));
    expect(grid.weeks[0]?.map((cell) => cell?.level)).toEqual([
      1,
      2,
      3,
      4,
      0,
      undefined,
      undefined,
    ]);
    expect(grid.weeks[0]?.[3]).toEqual({
      day: "2026-08-13",
      tokens: 2n ** 53n + 1n,
      level: 4,
      label: "Thu 13 Aug 2026",
    });
    expect([grid.activeDays, grid.streakDays]).toEqual([4, 1]);
  });

  it("[DSH-04] shows the first use today", () => {
    const grid = gridOf(heatmapOf("2026-08-10", 1, "2026-08-12", { "2026-08-12": ["7", 1] }));
    expect(grid.weeks.flat().map((cell) => cell?.tokens)).toEqual([0n, 0n, 7n, ...Array(4)]);
    expect([grid.activeDays, grid.streakDays]).toEqual([1, 1]);
  });

  it.each<[Heatmap["week_starts_on"], string]>([
    ["mon", "Mon Tue Wed Thu Fri Sat Sun"],
    ["sun", "Sun Mon Tue Wed Thu Fri Sat"],
  ])("[DSH-04] names the rows from %s on", (start, names) => {
    expect(gridOf(heatmapOf("2026-08-09", 1, "2026-08-12", {}, start)).weekdays.join(" ")).toBe(
      names,
    );
  });

  it.each<[string, Day, number, string]>([
    [
      "a year",
      "2025-08-18",
      52,
      "2:Sep 7:Oct 11:Nov 15:Dec 20:Jan 24:Feb 28:Mar 33:Apr 37:May 41:Jun 46:Jul 50:Aug",
    ],
    ["a first month with room", "2025-08-11", 8, "0:Aug 3:Sep"],
    ["a first month without room", "2025-08-18", 8, "2:Sep 7:Oct"],
    ["a leap day", "2028-02-28", 2, "1:Mar"],
    ["a year end", "2026-12-07", 6, "0:Dec 4:Jan"],
    ["one week", "2026-08-10", 1, "0:Aug"],
    ["two weeks of a month", "2026-08-10", 2, "0:Aug"],
  ])("[DSH-04] writes months over their first columns: %s", (_, from, weeks, months) => {
    expect(monthsOf(heatmapOf(from, weeks, addDays(from, weeks * 7 - 1)))).toBe(months);
  });
});
