/** Which days a period has, seen from today (DSH-06). */

import { addDays, addMonths, type Day, firstOf, monthOf, sundayOf, weekday } from "#data/days.ts";
import type { Period } from "#data/wire.ts";

export const PERIODS: readonly Period[] = ["day", "week", "month", "total"];

/** How many months the total goes back, this one included. */
export const MONTHS_OF_TOTAL = 24;

/** Local days, both included; `to` is today. */
export interface Range {
  period: Period;
  from: Day;
  to: Day;
}

const FIRST_DAY: Record<Period, (today: Day) => Day> = {
  day: (today) => today,
  week: (today) => addDays(today, -weekday(today)),
  month: (today) => firstOf(monthOf(today)),
  total: (today) => firstOf(addMonths(monthOf(today), 1 - MONTHS_OF_TOTAL)),
};

/**
 * The day on which the board of a period begins, seen from today by UTC: its weeks begin on Sunday (SRV-14). Null: it is
 * that of everything.
 */
export function boardSince(period: Period, today: Day): Day | null {
  if (period === "total") return null;
  return period === "week" ? sundayOf(today) : FIRST_DAY[period](today);
}

/** Up to today; weeks begin on Monday. */
export function rangeOf(period: Period, today: Day): Range {
  return { period, from: FIRST_DAY[period](today), to: today };
}
