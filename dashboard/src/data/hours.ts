/** The local hours of a day: which of them have begun, and what they are called. */

import type { Hourly, HourRow } from "#data/wire.ts";
import { offsetLabel } from "#data/zone.ts";

/**
 * `name` is `14:00` and `span` is `14:00–15:00`. Where a day has an hour twice, both end with its offset from UTC,
 * which is part of every `key`.
 */
export interface Hour {
  row: HourRow;
  key: string;
  name: string;
  span: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** In order of time, up to the one that is running. */
export function hoursUntil(now: Date, { data }: Hourly): Hour[] {
  const times = (row: HourRow) => data.filter(({ hour }) => hour === row.hour).length;
  return data
    .filter((row, slot) => hasBegun(row, data[slot - 1], now.getTime()))
    .map((row) => hourOf(row, times(row) > 1));
}

/** From 0 to 23. */
export function hourOfDay({ hour }: HourRow): number {
  return Number(hour.slice(11, 13));
}

/**
 * Where clocks are set by part of an hour, the next hour counts from a full one that never was: it begins when the one
 * before is over.
 */
function hasBegun(row: HourRow, before: HourRow | undefined, now: number): boolean {
  return startOf(row) <= now && (!before || startOf(before) + HOUR <= now);
}

function hourOf(row: HourRow, isTwice: boolean): Hour {
  const offset = offsetLabel((Date.parse(`${row.hour}Z`) - startOf(row)) / MINUTE);
  const which = isTwice ? ` ${offset}` : "";
  const [start, end] = [clock(hourOfDay(row)), clock(hourOfDay(row) + 1)];
  return {
    row,
    key: `${row.hour} ${offset}`,
    name: start + which,
    span: `${start}–${end}${which}`,
  };
}

function startOf(row: HourRow): number {
  return Date.parse(row.hour_start_utc);
}

function clock(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}
