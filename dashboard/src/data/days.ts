/**
 * The calendar. Days and months have no time zone, so they are reckoned with as if they were those of UTC, where every
 * day has 24 hours.
 */

/** `YYYY-MM-DD`. */
export type Day = string;

/** `YYYY-MM`. */
export type Month = string;

export const DAYS_OF_A_WEEK = 7;

const MILLISECONDS = 86_400_000;

const WEEKDAYS = "MonTueWedThuFriSatSun";
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(day) + days * MILLISECONDS).toISOString().slice(0, 10);
}

/** 0 for the same day, below 0 when `to` comes first. */
export function daysBetween(from: Day, to: Day): number {
  return (Date.parse(to) - Date.parse(from)) / MILLISECONDS;
}

/** From 0 for Monday to 6 for Sunday. */
export function weekday(day: Day): number {
  return (new Date(day).getUTCDay() + 6) % DAYS_OF_A_WEEK;
}

/** The Sunday that the day's week begins with, where weeks begin on Sunday. */
export function sundayOf(day: Day): Day {
  return addDays(day, -((weekday(day) + 1) % DAYS_OF_A_WEEK));
}

export function monthOf(day: Day): Month {
  return day.slice(0, 7);
}

export function addMonths(month: Month, months: number): Month {
  const date = new Date(month);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.toISOString().slice(0, 7);
}

export function firstOf(month: Month): Day {
  return `${month}-01`;
}

export function lastOf(month: Month): Day {
  return addDays(firstOf(addMonths(month, 1)), -1);
}

/** `Mon` for 0 to `Sun` for 6. */
export function weekdayName(weekday: number): string {
  return WEEKDAYS.slice(weekday * 3, weekday * 3 + 3);
}

/** `Aug` of a month or a day. */
export function monthName(month: Month | Day): string {
  const end = Number(month.slice(5, 7)) * 3;
  return MONTHS.slice(end - 3, end);
}

/** `Aug 2026`. */
export function monthLabel(month: Month): string {
  return `${monthName(month)} ${month.slice(0, 4)}`;
}

/** `10 Aug`. */
export function dayName(day: Day): string {
  return `${Number(day.slice(8))} ${monthName(day)}`;
}

/** `Mon 10 Aug 2026`. */
export function dayLabel(day: Day): string {
  return `${weekdayName(weekday(day))} ${Number(day.slice(8))} ${monthLabel(day)}`;
}
