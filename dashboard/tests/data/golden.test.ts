import { describe, expect, it } from "vitest";
import { daysBetween, monthOf } from "#data/days.ts";
import { detailsOfDays, detailsOfHours, detailsOfMonths } from "#data/details.ts";
import { gridOf } from "#data/heatmap.ts";
import { modelRows } from "#data/models.ts";
import { dollars } from "#data/numbers.ts";
import { addUp, sumsOf } from "#data/sums.ts";
import { segmentsOf, trendOfDays, trendOfHours, trendOfMonths } from "#data/trend.ts";
import { answer, answersOf } from "./golden.ts";
import * as read from "./readers.ts";

const inAll = (items: { tokens: bigint }[]) => items.reduce((sum, { tokens }) => sum + tokens, 0n);

/** When all of a day is over, wherever it is. */
const dayAfter = (day: string) => new Date(Date.parse(day) + 48 * 3_600_000);

const daily = (name: string) => read.daily(answer(name).body, name);
const hourly = (name: string) => read.hourly(answer(name).body, name);

describe("golden answers", () => {
  it.each(answersOf("usage-daily"))("[DSH-09] $name: its days sum up to its summary", (each) => {
    const answered = read.daily(each.body, each.name);
    expect(addUp(answered.data)).toEqual(sumsOf(answered.summary.totals));
    expect(detailsOfDays(answered).map(({ sums }) => sums)).toEqual(answered.data.map(sumsOf));
  });

  it.each(answersOf("usage-summary"))("[DSH-09] $name: its cost is shown in cents", (each) => {
    const { total_cost_usd } = read.summary(each.body, each.name).totals;
    const cost = Number(total_cost_usd);
    const isTiny = cost > 0 && cost < 0.01;
    expect(dollars(total_cost_usd)).toBe(isTiny ? "<$0.01" : `$${cost.toFixed(2)}`);
  });

  it.each(answersOf("usage-daily"))("[DSH-07] $name: no token is lost in the trend", (each) => {
    const { from, to, data, summary } = read.daily(each.body, each.name);
    const trend = trendOfDays({ from, to, data, summary }, { period: "month", from, to });
    expect(trend.points.map(({ slot }) => slot)).toEqual(data.map((_, slot) => slot));
    expect(inAll(trend.points)).toBe(sumsOf(summary.totals).total);
  });

  it.each(answersOf("usage-hourly"))("[DSH-07] $name: each hour has its place and name", (each) => {
    const answered = read.hourly(each.body, each.name);
    const later = dayAfter(answered.day);
    const { points, slots, peak } = trendOfHours(answered, later);
    const rows = detailsOfHours(answered, later);
    expect(slots).toBe(answered.data.length);
    expect(points.map(({ missing }) => missing)).toEqual(
      answered.data.map((row) => "missing" in row),
    );
    expect(rows.map(({ sums }) => sums)).toEqual(answered.data.map(sumsOf));
    expect(inAll(points)).toBe(addUp(answered.data).total);
    expect(points.some(({ tokens }) => tokens === peak) || peak === 0n).toBe(true);
    for (const names of [points.map(({ label }) => label), rows.map(({ label }) => label)]) {
      expect(new Set(names).size).toBe(slots);
    }
  });

  it.each(answersOf("usage-hourly"))("[DSH-07] $name: no hour after its own time", (each) => {
    const answered = read.hourly(each.body, each.name);
    const begun = answered.data.filter((row) => new Date(row.hour_start_utc) <= each.at);
    expect(trendOfHours(answered, each.at).points.length).toBe(begun.length);
    expect(detailsOfHours(answered, each.at).length).toBe(begun.length);
  });

  it.each(answersOf("usage-monthly"))("[DSH-08] $name: trimming loses no token", (each) => {
    const answered = read.monthly(each.body, each.name);
    const trend = trendOfMonths(answered);
    const rows = detailsOfMonths(answered);
    expect(trend.slots).toBe(answered.months);
    expect(inAll(trend.points)).toBe(addUp(answered.data).total);
    expect(inAll(rows.map(({ sums }) => ({ tokens: sums.total })))).toBe(inAll(trend.points));
    expect(rows[0]?.sums.total).toBeGreaterThan(0n);
    expect(rows.at(-1)?.key).toBe(monthOf(answered.to));
  });

  it.each(answersOf("usage-heatmap"))("[DSH-04] $name: every day is in the grid", (each) => {
    const answered = read.heatmap(each.body, each.name);
    const grid = gridOf(answered);
    const cells = grid.weeks.flat().filter((cell) => cell !== null);
    expect(grid.weeks.map(({ length }) => length)).toEqual(answered.weeks.map(() => 7));
    expect(cells.length).toBe(daysBetween(answered.from, answered.to) + 1);
    expect(cells.filter(({ tokens }) => tokens > 0n).length).toBe(grid.activeDays);
    expect(cells.every(({ tokens, level }) => tokens > 0n === level > 0)).toBe(true);
    expect(cells[0]?.label.slice(0, 3)).toBe(grid.weekdays[0]);
  });

  it.each(answersOf("usage-model-breakdown"))(
    "[DSH-14] $name: models sum up to sources",
    (each) => {
      const answered = read.breakdown(each.body, each.name);
      const rows = modelRows(answered);
      expect(inAll(rows)).toBe(addUp(answered.sources.map(({ totals }) => totals)).total);
      expect(rows.reduce((sum, { fraction }) => sum + fraction, 0)).toBeCloseTo(
        rows.length ? 1 : 0,
      );
      expect(
        rows
          .filter(({ priced }) => !priced)
          .map(({ model }) => model)
          .sort(),
      ).toEqual(answered.pricing.unpriced_models);
    },
  );
});

describe("golden hours", () => {
  it.each([
    ["320-hourly-missing", "2025-12-22T12:32:15Z", "line 0–4"],
    ["320-hourly-missing", "2025-12-22T13:00:00Z", "line 0–4 missing 5–5"],
    ["320-hourly-missing", "2025-12-23T08:00:00Z", "line 0–4 missing 5–23"],
    ["321-hourly-utc", "2025-12-22T12:32:16Z", "line 0–23"],
    ["322-hourly-kathmandu", "2025-12-22T12:32:17Z", "line 0–23"],
    ["323-hourly-25", "2025-12-22T12:32:18Z", "line 0–24"],
    ["324-hourly-23", "2025-12-22T12:32:19Z", "line 0–22"],
    ["325-hourly-tomorrow", "2025-12-22T12:32:20Z", ""],
    ["405-hourly-never-synced", "2025-12-22T12:45:15Z", "missing 0–12"],
  ])("[DSH-07] of %s at %s are drawn as %j", (name, now, expected) => {
    const segments = segmentsOf(trendOfHours(hourly(name), new Date(now)));
    expect(segments.map(({ kind, from, to }) => `${kind} ${from}–${to}`).join(" ")).toBe(expected);
  });
});

describe("golden answers about the same time", () => {
  it.each([
    ["321-hourly-utc", "309-daily-utc"],
    ["320-hourly-missing", "310-daily-los-angeles"],
    ["322-hourly-kathmandu", "311-daily-kathmandu"],
  ])("[DSH-09] %s sums up to its day in %s", (hours, days) => {
    const { day, data } = hourly(hours);
    const row = daily(days).data.find((each) => each.day === day);
    expect(row && sumsOf(row)).toEqual(addUp(data));
  });

  it.each([
    ["309-daily-utc", "301-summary-utc"],
    ["309-daily-utc", "302-summary-one-million"],
  ])("[DSH-09] the summary computed from %s is %s", (days, name) => {
    const { from, to, totals } = read.summary(answer(name).body, name);
    const rows = daily(days).data.filter(({ day }) => from <= day && day <= to);
    expect(addUp(rows)).toEqual(sumsOf(totals));
  });

  it.each([
    ["333-heatmap-sunday", "309-daily-utc"],
    ["334-heatmap-monday", "310-daily-los-angeles"],
    ["335-heatmap-kathmandu", "311-daily-kathmandu"],
  ])("[DSH-04] the days of %s are those of %s", (grid, days) => {
    const cells = gridOf(read.heatmap(answer(grid).body, grid)).weeks.flat();
    const shown = new Map(cells.map((cell) => [cell?.day, cell?.tokens]));
    const rows = daily(days).data.filter(({ day }) => shown.has(day));
    expect(rows.map(({ day }) => shown.get(day))).toEqual(rows.map((row) => sumsOf(row).total));
    expect(rows).not.toEqual([]);
  });

  it("[DSH-09] the models of 337-model-breakdown-utc sum up to the days of 309-daily-utc", () => {
    const name = "337-model-breakdown-utc";
    expect(inAll(modelRows(read.breakdown(answer(name).body, name)))).toBe(
      addUp(daily("309-daily-utc").data).total,
    );
  });
});
