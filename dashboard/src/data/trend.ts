/**
 * The trend, from answers to points to segments (DSH-07). A slot is a place on the x axis, counted from 0: an hour, a
 * day or a month. There are slots for the whole period, so that the axis stands still, but points only for what has
 * begun: nothing is drawn into the future.
 */

import { DAYS_OF_A_WEEK, dayLabel, daysBetween, lastOf, monthLabel, monthOf } from "#data/days.ts";
import { hoursUntil } from "#data/hours.ts";
import { ascending } from "#data/numbers.ts";
import type { Range } from "#data/periods.ts";
import { type Tick, ticksOfHours, ticksOfMonth, ticksOfMonths, ticksOfWeek } from "#data/ticks.ts";
import type { Daily, Hourly, Monthly, TokenFields } from "#data/wire.ts";

export { type Scale, scaleOf } from "#data/scale.ts";

/** `label` is the time in full; `missing`: no device has synced since, so nobody knows the tokens (SRV-09). */
export interface TrendPoint {
  slot: number;
  label: string;
  tokens: bigint;
  missing: boolean;
}

/** `peak` is the most tokens of a point that is not missing. */
export interface Trend {
  slots: number;
  points: TrendPoint[];
  ticks: Tick[];
  peak: bigint;
}

/** Neighbouring slots that are drawn alike, `from` and `to` included; it may be a single one. */
export interface Segment {
  kind: "line" | "missing";
  from: number;
  to: number;
}

/** 24 slots, and 23 or 25 where clocks are set. */
export function trendOfHours(hourly: Hourly, now: Date): Trend {
  const day = dayLabel(hourly.day);
  const points = hoursUntil(now, hourly).map(({ row, span }, slot) =>
    pointOf(slot, `${day}, ${span}`, row, row.missing),
  );
  return trendOf(hourly.data.length, points, ticksOfHours(hourly.data));
}

/** The days of a week or a month. */
export function trendOfDays(daily: Daily, { period, from, to }: Range): Trend {
  const isMonth = period === "month";
  const slots = isMonth ? daysBetween(from, lastOf(monthOf(from))) + 1 : DAYS_OF_A_WEEK;
  const points = daily.data
    .filter(({ day }) => from <= day && day <= to)
    .map((row) => pointOf(daysBetween(from, row.day), dayLabel(row.day), row));
  return trendOf(slots, points, isMonth ? ticksOfMonth(slots) : ticksOfWeek());
}

/** The months of an answer, which ends with the one of today. */
export function trendOfMonths({ data }: Monthly): Trend {
  const points = data.map((row, slot) => pointOf(slot, monthLabel(row.month), row));
  return trendOf(data.length, points, ticksOfMonths(data.map(({ month }) => month)));
}

/** In order; a line ends where something is missing and where there is no point. */
export function segmentsOf({ points }: Trend): Segment[] {
  const segments: Segment[] = [];
  for (const { slot, missing } of points) {
    const kind = missing ? "missing" : "line";
    const last = segments.at(-1);
    if (last?.kind === kind && last.to === slot - 1) last.to = slot;
    else segments.push({ kind, from: slot, to: slot });
  }
  return segments;
}

function trendOf(slots: number, points: TrendPoint[], ticks: Tick[]): Trend {
  const known = points.filter(({ missing }) => !missing).map(({ tokens }) => tokens);
  return { slots, points, ticks, peak: known.sort(ascending).at(-1) ?? 0n };
}

function pointOf(slot: number, label: string, row: TokenFields, missing = false): TrendPoint {
  return { slot, label, tokens: BigInt(row.total_tokens), missing };
}
