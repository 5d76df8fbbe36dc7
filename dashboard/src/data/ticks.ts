/** What stands below the x axis: few enough words for a narrow screen (DSH-07). Slots are counted from 0. */

import { DAYS_OF_A_WEEK, type Month, monthName, weekdayName } from "#data/days.ts";
import { hourOfDay } from "#data/hours.ts";
import type { HourRow } from "#data/wire.ts";

export interface Tick {
  slot: number;
  text: string;
}

const HOURS_APART = 4;
const DAYS_APART = 5;
const MOST_MONTHS = 6;

/** `00 04 … 20`, each where its hour is: at the first of two, and nowhere on a day that leaves it out. */
export function ticksOfHours(rows: readonly HourRow[]): Tick[] {
  const hours = rows.map(hourOfDay);
  return hours.flatMap((hour, slot) => {
    const isShown = hour % HOURS_APART === 0 && hour !== hours[slot - 1];
    return isShown ? [{ slot, text: String(hour).padStart(2, "0") }] : [];
  });
}

/** `Mon … Sun`. */
export function ticksOfWeek(): Tick[] {
  return Array.from({ length: DAYS_OF_A_WEEK }, (_, slot) => ({ slot, text: weekdayName(slot) }));
}

/** `1 5 10 … 30`. */
export function ticksOfMonth(days: number): Tick[] {
  const numbers = Array.from({ length: days }, (_, slot) => slot + 1);
  return numbers
    .filter((day) => day === 1 || day % DAYS_APART === 0)
    .map((day) => ({ slot: day - 1, text: String(day) }));
}

/** `Jan 25  May 25  Sep 25 …`: a year begins with a tick. */
export function ticksOfMonths(months: readonly Month[]): Tick[] {
  const apart = Math.ceil(months.length / MOST_MONTHS);
  return months.flatMap((month, slot) => {
    const isShown = (Number(month.slice(5)) - 1) % apart === 0;
    return isShown ? [{ slot, text: `${monthName(month)} ${month.slice(2, 4)}` }] : [];
  });
}
