import { describe, expect, it } from "vitest";
import { rangeOf } from "#data/periods.ts";
import {
  scaleOf,
  segmentsOf,
  type Trend,
  trendOfDays,
  trendOfHours,
  trendOfMonths,
} from "#data/trend.ts";
import type { Hourly, Period } from "#data/wire.ts";
import { dailyOf, hourlyAt, hourlyOf, monthlyOf, range, tokens } from "./answers.ts";

const ALL_HOURS = range(0, 24);
const MONDAY = hourlyOf("2026-08-10", "2026-08-10T00:00:00Z", ALL_HOURS);
const KATHMANDU = hourlyOf("2026-08-10", "2026-08-09T18:15:00Z", ALL_HOURS);
const AUCKLAND_25 = hourlyOf("2026-04-05", "2026-04-04T11:00:00Z", [0, 1, 2, ...range(2, 24)]);
const AUCKLAND_23 = hourlyOf("2026-09-27", "2026-09-26T12:00:00Z", [0, 1, ...range(3, 24)]);
const HAVANA_25 = hourlyOf("2026-11-01", "2026-11-01T04:00:00Z", [0, ...range(0, 24)]);
const CAIRO_23 = hourlyOf("2026-04-24", "2026-04-23T22:00:00Z", range(1, 24));

/** At 02:00 clocks go back to 01:30, so that the second hour from 1 has a half alone. */
const LORD_HOWE_BACK = hourlyAt(
  "2026-04-05",
  ["2026-04-04T13:00Z", "2026-04-04T14:00Z", "2026-04-04T14:30Z", "2026-04-04T15:30Z"],
  [0, 1, 1, 2],
);

/** At 02:00 clocks go on to 02:30, so that the hour from 2 has a half alone. */
const LORD_HOWE_ON = hourlyAt(
  "2026-10-04",
  ["2026-10-03T13:30Z", "2026-10-03T14:30Z", "2026-10-03T15:00Z", "2026-10-03T16:00Z"],
  [0, 1, 2, 3],
);

function written({ ticks }: Trend): string {
  return ticks.map(({ slot, text }) => `${slot}:${text}`).join(" ");
}

/** `=` is on the line, `?` is missing, `.` is without a point. */
function drawn(trend: Trend): string {
  const slots = Array<string>(trend.slots).fill(".");
  for (const { slot, missing } of trend.points) slots[slot] = missing ? "?" : "=";
  return slots.join("");
}

describe("trendOfHours", () => {
  it.each<[string, Hourly, string, string]>([
    ["the last hour of the day", MONDAY, "2026-08-10T23:00:00Z", "========================"],
    ["the first second of an hour", MONDAY, "2026-08-10T13:00:00Z", "==============.........."],
    ["just before it", MONDAY, "2026-08-10T12:59:59.999Z", "=============..........."],
    ["the first hour of the day", MONDAY, "2026-08-10T00:30:00Z", "=......................."],
    ["the day after", MONDAY, "2026-08-11T09:00:00Z", "========================"],
    ["the day before", MONDAY, "2026-08-09T23:59:59Z", "........................"],
    ["an hour that begins at :15", KATHMANDU, "2026-08-10T07:15:00Z", "==============.........."],
    ["just before that", KATHMANDU, "2026-08-10T07:14:59Z", "=============..........."],
    [
      "an hour that will be repeated",
      AUCKLAND_25,
      "2026-04-04T13:59:59Z",
      "===......................",
    ],
    ["an hour repeated", AUCKLAND_25, "2026-04-04T14:00:00Z", "====....................."],
    ["before an hour left out", AUCKLAND_23, "2026-09-26T13:59:59Z", "==....................."],
    ["after an hour left out", AUCKLAND_23, "2026-09-26T14:00:00Z", "===...................."],
    ["before half an hour repeated", LORD_HOWE_BACK, "2026-04-04T14:59:59Z", "==.."],
    ["half an hour repeated", LORD_HOWE_BACK, "2026-04-04T15:00:00Z", "===."],
    ["after half an hour repeated", LORD_HOWE_BACK, "2026-04-04T15:30:00Z", "===="],
    ["before half an hour left out", LORD_HOWE_ON, "2026-10-03T15:29:59Z", "==.."],
    ["after half an hour left out", LORD_HOWE_ON, "2026-10-03T15:30:00Z", "===."],
  ])("[DSH-07] draws up to the hour that is running, at %s", (_, hourly, now, points) => {
    expect(drawn(trendOfHours(hourly, new Date(now)))).toBe(points);
  });

  it.each([
    [24, "=============..........."],
    [13, "=============..........."],
    [12, "============?..........."],
    [5, "=====????????..........."],
    [1, "=????????????..........."],
    [0, "?????????????..........."],
  ])("[DSH-07] marks what was not synced after %d hours as missing", (known, points) => {
    const hourly = hourlyOf("2026-08-10", "2026-08-10T00:00:00Z", ALL_HOURS, known);
    const trend = trendOfHours(hourly, new Date("2026-08-10T12:30:00Z"));
    expect(drawn(trend)).toBe(points);
    expect(trend.peak).toBe(BigInt(Math.max(0, Math.min(known, 13) - 1)));
  });

  it("[DSH-07] measures only what is on the line", () => {
    const hourly = hourlyOf("2026-08-10", "2026-08-10T00:00:00Z", ALL_HOURS, 5);
    const data = hourly.data.map((row, slot) => (slot === 5 ? { ...row, ...tokens(9) } : row));
    expect(trendOfHours({ ...hourly, data }, new Date("2026-08-10T12:30:00Z")).peak).toBe(4n);
  });

  it.each<[string, Hourly, string]>([
    ["24 hours", MONDAY, "0:00 4:04 8:08 12:12 16:16 20:20"],
    ["25 hours", AUCKLAND_25, "0:00 5:04 9:08 13:12 17:16 21:20"],
    ["23 hours", AUCKLAND_23, "0:00 3:04 7:08 11:12 15:16 19:20"],
    ["midnight twice", HAVANA_25, "0:00 5:04 9:08 13:12 17:16 21:20"],
    ["no midnight", CAIRO_23, "3:04 7:08 11:12 15:16 19:20"],
  ])("[DSH-07] writes every fourth hour where it is on a day of %s", (_, hourly, ticks) => {
    expect(written(trendOfHours(hourly, new Date("2027-01-01")))).toBe(ticks);
  });

  it.each<[Hourly, number, string]>([
    [MONDAY, 0, "Mon 10 Aug 2026, 00:00–01:00"],
    [MONDAY, 14, "Mon 10 Aug 2026, 14:00–15:00"],
    [MONDAY, 23, "Mon 10 Aug 2026, 23:00–24:00"],
    [KATHMANDU, 14, "Mon 10 Aug 2026, 14:00–15:00"],
    [AUCKLAND_25, 1, "Sun 5 Apr 2026, 01:00–02:00"],
    [AUCKLAND_25, 2, "Sun 5 Apr 2026, 02:00–03:00 UTC+13:00"],
    [AUCKLAND_25, 3, "Sun 5 Apr 2026, 02:00–03:00 UTC+12:00"],
    [HAVANA_25, 0, "Sun 1 Nov 2026, 00:00–01:00 UTC-04:00"],
    [HAVANA_25, 1, "Sun 1 Nov 2026, 00:00–01:00 UTC-05:00"],
    [LORD_HOWE_BACK, 1, "Sun 5 Apr 2026, 01:00–02:00 UTC+11:00"],
    [LORD_HOWE_BACK, 2, "Sun 5 Apr 2026, 01:00–02:00 UTC+10:30"],
  ])("[DSH-07] names each hour so that no other has its name", (hourly, slot, label) => {
    const { points } = trendOfHours(hourly, new Date("2027-01-01"));
    expect(points[slot]?.label).toBe(label);
    expect(new Set(points.map((point) => point.label)).size).toBe(points.length);
  });

  it("[DSH-07] tells apart from its beginning on an hour that will come twice", () => {
    const { points } = trendOfHours(AUCKLAND_25, new Date("2026-04-04T13:10:00Z"));
    expect(points.at(-1)?.label).toBe("Sun 5 Apr 2026, 02:00–03:00 UTC+13:00");
  });
});

describe("trendOfDays", () => {
  it.each<[Period, string, string]>([
    ["week", "2026-08-12", "===...."],
    ["week", "2026-08-10", "=......"],
    ["week", "2026-08-16", "======="],
    ["week", "2026-01-01", "====..."],
    ["month", "2026-08-01", `=${".".repeat(30)}`],
    ["month", "2026-08-31", "=".repeat(31)],
    ["month", "2026-02-27", `${"=".repeat(27)}.`],
    ["month", "2028-02-28", `${"=".repeat(28)}.`],
    ["month", "2028-02-29", "=".repeat(29)],
    ["month", "2026-12-31", "=".repeat(31)],
  ])("[DSH-07] draws the %s until %s, and keeps room for what is left", (period, today, points) => {
    const { from, to } = rangeOf(period, today);
    expect(drawn(trendOfDays(dailyOf(from, to), { period, from, to }))).toBe(points);
  });

  it("[DSH-07] draws no day after today, though an answer has some", () => {
    const daily = dailyOf("2026-08-03", "2026-08-16", { "2026-08-12": 7, "2026-08-13": 9 });
    const trend = trendOfDays(daily, rangeOf("week", "2026-08-12"));
    expect(drawn(trend)).toBe("===....");
    expect(trend.peak).toBe(7n);
  });

  it("[DSH-07] keeps the tokens and the zeros of each day", () => {
    const used = { "2026-08-10": 5, "2026-08-12": 2n ** 53n + 1n };
    const trend = trendOfDays(
      dailyOf("2026-08-10", "2026-08-13", used),
      rangeOf("week", "2026-08-13"),
    );
    expect(trend.points).toEqual([
      { slot: 0, label: "Mon 10 Aug 2026", tokens: 5n, missing: false },
      { slot: 1, label: "Tue 11 Aug 2026", tokens: 0n, missing: false },
      { slot: 2, label: "Wed 12 Aug 2026", tokens: 2n ** 53n + 1n, missing: false },
      { slot: 3, label: "Thu 13 Aug 2026", tokens: 0n, missing: false },
    ]);
    expect(trend.peak).toBe(2n ** 53n + 1n);
  });

  it.each<[Period, string, string]>([
    ["week", "2026-08-12", "0:Mon 1:Tue 2:Wed 3:Thu 4:Fri 5:Sat 6:Sun"],
    ["month", "2026-08-12", "0:1 4:5 9:10 14:15 19:20 24:25 29:30"],
    ["month", "2026-02-12", "0:1 4:5 9:10 14:15 19:20 24:25"],
  ])("[DSH-07] writes the days of the %s of %s below", (period, today, ticks) => {
    const { from, to } = rangeOf(period, today);
    expect(written(trendOfDays(dailyOf(from, to), { period, from, to }))).toBe(ticks);
  });
});

describe("trendOfMonths", () => {
  const used = range(0, 24);

  it("[DSH-07] has a point for each of the months", () => {
    const trend = trendOfMonths(monthlyOf(...used));
    expect(drawn(trend)).toBe("=".repeat(24));
    expect(trend.points.at(-1)).toEqual({
      slot: 23,
      label: "Dec 2026",
      tokens: 23n,
      missing: false,
    });
    expect(trend.peak).toBe(23n);
  });

  it.each([
    [24, "0:Jan 25 4:May 25 8:Sep 25 12:Jan 26 16:May 26 20:Sep 26"],
    [12, "0:Jan 25 2:Mar 25 4:May 25 6:Jul 25 8:Sep 25 10:Nov 25"],
    [3, "0:Jan 25 1:Feb 25 2:Mar 25"],
  ])("[DSH-07] writes few of %d months below", (months, ticks) => {
    expect(written(trendOfMonths(monthlyOf(...used.slice(0, months))))).toBe(ticks);
  });
});

describe("segmentsOf", () => {
  it.each<[string, string]>([
    ["", ""],
    ["....", ""],
    ["====", "line 0–3"],
    ["????", "missing 0–3"],
    ["==..", "line 0–1"],
    ["=???", "line 0–0 missing 1–3"],
    ["==?=", "line 0–1 missing 2–2 line 3–3"],
    ["?=?..", "missing 0–0 line 1–1 missing 2–2"],
    ["==.==", "line 0–1 line 3–4"],
    ["?..?=", "missing 0–0 missing 3–3 line 4–4"],
  ])("[DSH-07] breaks %j into %j", (slots, expected) => {
    const points = [...slots]
      .map((kind, slot) => ({ kind, slot, label: "", tokens: 0n, missing: kind === "?" }))
      .filter(({ kind }) => kind !== ".");
    const segments = segmentsOf({ slots: slots.length, points, ticks: [], peak: 0n });
    expect(segments.map(({ kind, from, to }) => `${kind} ${from}–${to}`).join(" ")).toBe(expected);
  });

  it("[DSH-07] draws a flat line where there were no tokens", () => {
    const trend = trendOfDays(dailyOf("2026-08-10", "2026-08-12"), rangeOf("week", "2026-08-12"));
    expect(segmentsOf(trend)).toEqual([{ kind: "line", from: 0, to: 2 }]);
    expect(trend.peak).toBe(0n);
  });
});

describe("scaleOf", () => {
  it.each<[bigint, string]>([
    [0n, "0 1 2 3 4"],
    [1n, "0 1 2 3 4"],
    [4n, "0 1 2 3 4"],
    [5n, "0 2 4 6"],
    [10n, "0 3 6 9 12"],
    [999n, "0 250 500 750 1K"],
    [1_001n, "0 300 600 900 1.2K"],
    [3_162n, "0 800 1.6K 2.4K 3.2K"],
    [6_000n, "0 1.5K 3K 4.5K 6K"],
    [2_000_000n, "0 500K 1M 1.5M 2M"],
    [33_000_000n, "0 10M 20M 30M 40M"],
    [1_234_567_890n, "0 400M 800M 1.2B 1.6B"],
    [2n ** 63n, "0 2,500,000T 5,000,000T 7,500,000T 10,000,000T"],
  ])("[DSH-07] measures %d in round steps: %s", (peak, texts) => {
    expect(
      scaleOf(peak)
        .steps.map(({ text }) => text)
        .join(" "),
    ).toBe(texts);
  });

  it("[DSH-07] has four or five lines, of which only the last reaches any peak", () => {
    for (let peak = 1n; peak < 10n ** 15n; peak += peak / 7n + 1n) {
      const { top, steps } = scaleOf(peak);
      const [first, second, ...others] = steps.map(({ at }) => at);
      expect(first).toBe(0);
      expect([2, 3]).toContain(others.length);
      expect(others).toEqual(others.map((_, nth) => (nth + 2) * (second ?? 0)));
      expect(top).toBe(others.at(-1));
      expect(top).toBeGreaterThanOrEqual(Number(peak));
      if (peak > 3n) expect(others.at(-2)).toBeLessThan(Number(peak));
    }
  });

  it("[DSH-07] writes what each line stands for, without rounding it", () => {
    const sizes: Record<string, number> = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 };
    for (let peak = 1n; peak < 10n ** 15n; peak += peak / 7n + 1n) {
      for (const { at, text } of scaleOf(peak).steps) {
        expect(Number.parseFloat(text.replaceAll(",", "")) * (sizes[text.slice(-1)] ?? 1)).toBe(at);
      }
    }
  });
});
