/** The activity heatmap: weeks as columns, days as rows (DSH-04). Levels are the server's (SRV-13). */

import { DAYS_OF_A_WEEK, type Day, dayLabel, monthName, weekdayName } from "#data/days.ts";
import type { DayCell, Heatmap } from "#data/wire.ts";

const LEVELS = [0, 1, 2, 3, 4] as const;

/** From nothing to most. */
export type Level = (typeof LEVELS)[number];

/** `label` is `Mon 10 Aug 2026`. */
export interface HeatCell {
  day: Day;
  tokens: bigint;
  level: Level;
  label: string;
}

/**
 * `weeks` are columns of seven cells, null for days to come; `weekdays` names the rows, `months` the first column of a
 * month. `activeDays` have tokens, `streakDays` of them in a row up to now.
 */
export interface HeatGrid {
  weeks: (HeatCell | null)[][];
  weekdays: string[];
  months: { column: number; text: string }[];
  activeDays: number;
  streakDays: number;
}

const SUNDAY = 6;

/** As many columns as a name of a month is wide. */
const COLUMNS_OF_A_NAME = 3;

export function gridOf(heatmap: Heatmap): HeatGrid {
  return {
    weeks: heatmap.weeks.map((week) => week.map((cell) => cell && cellOf(cell))),
    weekdays: weekdaysFrom(heatmap.week_starts_on === "sun" ? SUNDAY : 0),
    months: monthsOver(heatmap.weeks.map(([first]) => first?.day ?? heatmap.to)),
    activeDays: heatmap.active_days,
    streakDays: heatmap.streak_days,
  };
}

function cellOf({ day, value, level }: DayCell): HeatCell {
  return { day, tokens: BigInt(value), level: LEVELS[level] ?? 0, label: dayLabel(day) };
}

function weekdaysFrom(first: number): string[] {
  return Array.from({ length: DAYS_OF_A_WEEK }, (_, row) =>
    weekdayName((first + row) % DAYS_OF_A_WEEK),
  );
}

/** Over the first column of each month; the month in which the grid begins only where its name has room. */
function monthsOver(firstDays: readonly Day[]): HeatGrid["months"] {
  const names = firstDays.map(monthName);
  const months = names
    .map((text, column) => ({ column, text }))
    .filter(({ column, text }) => text !== names[column - 1]);
  const isTight = (months[1]?.column ?? COLUMNS_OF_A_NAME) < COLUMNS_OF_A_NAME;
  return isTight ? months.slice(1) : months;
}
