/** Answers of the server for tests that ask what is made of them. */

import { addDays, type Day, daysBetween } from "#data/days.ts";
import type { Daily, Hourly, HourRow, Monthly, Pricing, TokenFields, Totals } from "#data/wire.ts";

const HOUR = 3_600_000;

export function tokens(total: bigint | number): TokenFields {
  return {
    total_tokens: String(total),
    input_tokens: String(total),
    cached_input_tokens: "0",
    output_tokens: "0",
    reasoning_output_tokens: "0",
  };
}

/** `from`, `from + 1` … to before `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, nth) => from + nth);
}

/**
 * A day of the given local hours, which begins at `start` in UTC. `known` of its hours are not missing, and the nth of
 * them has n tokens.
 */
export function hourlyOf(day: Day, start: string, hours: number[], known = hours.length): Hourly {
  const starts = hours.map((_, nth) => new Date(Date.parse(start) + nth * HOUR));
  return hourlyAt(
    day,
    starts.map((at) => at.toISOString()),
    hours,
    known,
  );
}

/** The same, where the hours begin as they are said to. */
export function hourlyAt(
  day: Day,
  starts: string[],
  hours: number[],
  known = hours.length,
): Hourly {
  const data = hours.map((hour, nth): HourRow => {
    const row = {
      hour: `${day}T${String(hour).padStart(2, "0")}:00:00`,
      hour_start_utc: starts[nth] ?? "",
    };
    return nth < known ? { ...tokens(nth), ...row } : { ...tokens(0), ...row, missing: true };
  });
  return { day, data, sync: { last_sync_at: null, min_interval_minutes: 30 } };
}

/** Every day of a range; the given ones have tokens. */
export function dailyOf(from: Day, to: Day, used: Record<Day, bigint | number> = {}): Daily {
  const days = range(0, daysBetween(from, to) + 1).map((nth) => addDays(from, nth));
  const data = days.map((day) => ({ day, ...tokens(used[day] ?? 0) }));
  return { from, to, data, summary: { totals: NOTHING, pricing: PRICING } };
}

/** Months from January 2025 on. */
export function monthlyOf(...used: (bigint | number)[]): Monthly {
  const data = used.map((total, nth) => {
    const month = new Date(Date.UTC(2025, nth)).toISOString().slice(0, 7);
    return { month, ...tokens(total) };
  });
  return { from: "2025-01-01", to: `${data.at(-1)?.month}-15`, months: used.length, data };
}

const RATES = { input: "0", cached_input: "0", output: "0", reasoning_output: "0" };

export const NOTHING: Totals = { ...tokens(0), total_cost_usd: "0.000000" };

export const PRICING: Pricing = {
  model: "gpt-5.2-codex",
  pricing_mode: "overlap",
  source: "bundled",
  effective_from: null,
  rates: RATES,
  rates_per_million_usd: RATES,
  unpriced_models: [],
};
