/** Hours, days, months and weeks in the form of the server's answers. */

import { fieldsOf } from "#api/mock/bill.ts";
import { daysFrom, grouped, hourOfDay, type LocalHour, type Use } from "#api/mock/life.ts";
import { addMonths, type Day, monthOf } from "#data/days.ts";
import type { DayCell, DayRow, Heatmap, HourRow, MonthRow } from "#data/wire.ts";

const DAYS_OF_A_WEEK = 7;

/** Of a day; what is used in an hour that comes twice was used the first time. `synced` is in milliseconds. */
export function hourRows(uses: readonly Use[], hours: LocalHour[], synced: number): HourRow[] {
  const used = grouped(uses, ({ hour }) => String(hour));
  return hours.map((each) => {
    const hour = String(hourOfDay(each));
    const row = { hour: each.name, hour_start_utc: utc(each.start), ...fieldsOf(used.get(hour)) };
    used.delete(hour);
    return each.start > synced ? { ...row, missing: true } : row;
  });
}

export function dayRows(uses: readonly Use[], from: Day, to: Day): DayRow[] {
  const used = grouped(uses, ({ day }) => day);
  return daysFrom(from, to).map((day) => ({ day, ...fieldsOf(used.get(day)) }));
}

/** So many months up to that of `to`. */
export function monthRows(uses: readonly Use[], to: Day, count: number): MonthRow[] {
  const used = grouped(uses, ({ day }) => monthOf(day));
  const months = Array.from({ length: count }, (_, n) => addMonths(monthOf(to), n - count + 1));
  return months.map((month) => ({ month, ...fieldsOf(used.get(month)) }));
}

/** `from` is a Monday; levels are those of the server (SRV-13). */
export function heatmapOf(uses: readonly Use[], from: Day, to: Day): Heatmap {
  const rows = dayRows(uses, from, to);
  const values = rows.map(({ total_tokens }) => Number(total_tokens));
  const active = values.filter(Boolean).sort((one, other) => one - other);
  const thresholds = [0.5, 0.75, 0.9].map((q) => active[Math.floor((active.length - 1) * q)] ?? 0);
  const cells = rows.map(({ day, total_tokens: value }) => ({
    day,
    value,
    level: levelOf(Number(value), thresholds),
  }));
  return {
    from,
    to,
    week_starts_on: "mon",
    weeks: weeksOf(cells),
    thresholds: thresholds.map(String),
    active_days: active.length,
    streak_days: streakOf(values),
  };
}

/** `2026-11-18T12:00:00Z`. */
export function utc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

function levelOf(value: number, thresholds: readonly number[]): number {
  return value && 1 + thresholds.filter((threshold) => threshold < value).length;
}

function weeksOf(cells: readonly DayCell[]): Heatmap["weeks"] {
  return Array.from({ length: Math.ceil(cells.length / DAYS_OF_A_WEEK) }, (_, week) =>
    Array.from({ length: DAYS_OF_A_WEEK }, (_, day) => cells[week * DAYS_OF_A_WEEK + day] ?? null),
  );
}

/** Days in a row up to the last: as that is not over, it breaks no streak. */
function streakOf(values: readonly number[]): number {
  const before = values.slice(0, -1);
  return before.length - 1 - before.lastIndexOf(0) + Number(Boolean(values.at(-1)));
}
