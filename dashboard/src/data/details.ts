/** The details table: its rows by period, their order and their pages (DSH-08). */

import { dayLabel, dayName, type Month, monthLabel, monthName } from "#data/days.ts";
import { hoursUntil } from "#data/hours.ts";
import { ascending } from "#data/numbers.ts";
import { sumsOf, type TokenSums } from "#data/sums.ts";
import type { Daily, Hourly, Monthly, TokenFields } from "#data/wire.ts";

/**
 * `short` is the label where room is scarce; `missing`: no device has synced since, so the sums are not known
 * (SRV-09).
 */
export interface DetailRow {
  key: string;
  label: string;
  short: string;
  missing: boolean;
  sums: TokenSums;
}

export type Column = "when" | keyof TokenSums;

export interface Order {
  column: Column;
  descending: boolean;
}

/** `page` counts from 1. */
export interface Page {
  rows: DetailRow[];
  page: number;
  pages: number;
}

export const NEWEST_FIRST: Order = { column: "when", descending: true };

/** Of hours and of months; the days of a month stand on one page. */
export const ROWS_PER_PAGE = 12;

/** The hours of a day up to the one that is running, oldest first. */
export function detailsOfHours(hourly: Hourly, now: Date): DetailRow[] {
  return hoursUntil(now, hourly).map(({ row, key, name }) =>
    rowOf(key, [name, name], row, row.missing),
  );
}

/** Oldest first. */
export function detailsOfDays({ data }: Daily): DetailRow[] {
  return data.map((row) => rowOf(row.day, [dayLabel(row.day), dayName(row.day)], row));
}

/** From the month of the first use on, oldest first; none without any use. */
export function detailsOfMonths({ data }: Monthly): DetailRow[] {
  const rows = data.map((row) => rowOf(row.month, labelsOfMonth(row.month), row));
  const first = rows.findIndex(({ sums }) => sums.total > 0n);
  return first < 0 ? [] : rows.slice(first);
}

/** Rows that come oldest first, in another order: of equal ones the newest first, missing ones after all that count. */
export function sorted(rows: readonly DetailRow[], { column, descending }: Order): DetailRow[] {
  const newestFirst = rows.toReversed();
  if (column === "when") return descending ? newestFirst : [...rows];
  const sign = descending ? -1 : 1;
  return newestFirst.sort(
    (one, other) =>
      Number(one.missing) - Number(other.missing) ||
      sign * ascending(one.sums[column], other.sums[column]),
  );
}

/** What a click on the head of a column asks for: newest or most first, then the other way round. */
export function nextOrder(order: Order, column: Column): Order {
  return { column, descending: order.column !== column || !order.descending };
}

/** The page, or the nearest that there is; without rows there is an empty one. */
export function pageOf(rows: readonly DetailRow[], page: number): Page {
  const pages = Math.max(1, Math.ceil(rows.length / ROWS_PER_PAGE));
  const shown = Math.min(Math.max(1, page), pages);
  return {
    rows: rows.slice((shown - 1) * ROWS_PER_PAGE, shown * ROWS_PER_PAGE),
    page: shown,
    pages,
  };
}

function labelsOfMonth(month: Month): Labels {
  return [monthLabel(month), `${monthName(month)} ${month.slice(2, 4)}`];
}

type Labels = [label: string, short: string];

function rowOf(key: string, [label, short]: Labels, row: TokenFields, missing = false): DetailRow {
  return { key, label, short, missing, sums: sumsOf(row) };
}
