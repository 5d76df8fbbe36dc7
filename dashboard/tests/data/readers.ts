/**
 * Readers of the shapes in `wire.ts`. The compiler holds a reader to its shape, and the reader holds an answer to
 * itself: every field, no other ones, and of the right kind. So what it has read is what `wire.ts` says.
 */

import type * as wire from "#data/wire.ts";

/** The value as T; throws what is wrong, and where. */
export type Reader<T> = (value: unknown, at: string) => T;

export function record<T>(fields: { [K in keyof Required<T>]: Reader<T[K]> }): Reader<T> {
  return (value, at) => {
    const found = Object(value) as { [K in keyof T]: unknown };
    const unknown = Object.keys(found).filter((key) => !(key in fields));
    if (unknown.length > 0) throw new Error(`${at} has ${unknown}, which no shape has`);
    for (const key in fields) fields[key](found[key], `${at}/${key}`);
    return value as T;
  };
}

export function list<T>(item: Reader<T>): Reader<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(value, at);
    return value.map((each, nth) => item(each, `${at}/${nth}`));
  };
}

export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, at) => (value === undefined ? undefined : reader(value, at));
}

function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (value, at) => (value === null ? null : reader(value, at));
}

function oneOf<const T>(...values: T[]): Reader<T> {
  return (value, at) => {
    const found = values.find((each) => each === value);
    if (found === undefined) throw wrong(value, at);
    return found;
  };
}

function text(pattern: RegExp): Reader<string> {
  return (value, at) => {
    if (typeof value !== "string" || !pattern.test(value)) throw wrong(value, at);
    return value;
  };
}

const whole: Reader<number> = (value, at) => {
  if (!Number.isInteger(value)) throw wrong(value, at);
  return value as number;
};

function wrong(value: unknown, at: string): Error {
  return new Error(`${at} is ${JSON.stringify(value)}`);
}

const words = text(/./);
const count = text(/^(0|[1-9]\d*)$/);
const sixDecimals = text(/^\d+\.\d{6}$/);
const day = text(/^\d{4}-\d\d-\d\d$/);
const month = text(/^\d{4}-\d\d$/);
const instant = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const localHour = text(/^\d{4}-\d\d-\d\dT\d\d:00:00$/);
const flag = oneOf(true, false);
const period = oneOf<wire.Period>("day", "week", "month", "total");

const tokenFields = {
  total_tokens: count,
  input_tokens: count,
  cached_input_tokens: count,
  output_tokens: count,
  reasoning_output_tokens: count,
};
const totals = record<wire.Totals>({ ...tokenFields, total_cost_usd: sixDecimals });
const rates = record<wire.Rates>({
  input: sixDecimals,
  cached_input: sixDecimals,
  output: sixDecimals,
  reasoning_output: sixDecimals,
});
const pricing = record<wire.Pricing>({
  model: words,
  pricing_mode: oneOf("add", "overlap", "mixed"),
  source: nullable(words),
  effective_from: nullable(day),
  rates,
  rates_per_million_usd: rates,
  unpriced_models: list(words),
});

export const summary = record<wire.Summary>({ from: day, to: day, days: whole, totals, pricing });

export const daily = record<wire.Daily>({
  from: day,
  to: day,
  data: list(record<wire.DayRow>({ ...tokenFields, day })),
  summary: record<wire.Daily["summary"]>({ totals, pricing }),
});

export const hourly = record<wire.Hourly>({
  day,
  data: list(
    record<wire.HourRow>({
      ...tokenFields,
      hour: localHour,
      hour_start_utc: instant,
      missing: optional(oneOf(true)),
    }),
  ),
  sync: record<wire.Hourly["sync"]>({
    last_sync_at: nullable(instant),
    min_interval_minutes: whole,
  }),
});

export const monthly = record<wire.Monthly>({
  from: day,
  to: day,
  months: whole,
  data: list(record<wire.MonthRow>({ ...tokenFields, month })),
});

export const heatmap = record<wire.Heatmap>({
  from: day,
  to: day,
  week_starts_on: oneOf("sun", "mon"),
  weeks: list(list(nullable(record<wire.DayCell>({ day, value: count, level: whole })))),
  thresholds: list(count),
  active_days: whole,
  streak_days: whole,
});

export const breakdown = record<wire.ModelBreakdown>({
  from: day,
  to: day,
  days: whole,
  sources: list(
    record<wire.SourceTotals>({
      source: words,
      totals,
      models: list(record<wire.ModelTotals>({ model: words, totals })),
    }),
  ),
  pricing,
});

export const board = record<wire.Board>({
  period,
  from: day,
  to: day,
  generated_at: instant,
  entries: list(
    record<wire.BoardEntry>({
      rank: whole,
      is_me: flag,
      is_public: flag,
      display_name: words,
      avatar_url: oneOf(null),
      total_tokens: count,
    }),
  ),
  me: record<wire.Board["me"]>({ rank: nullable(whole), total_tokens: count }),
});

export const boardSettings = record<wire.BoardSettings>({
  leaderboard_public: flag,
  updated_at: nullable(instant),
});

export const device = record<wire.Device>({
  device_id: words,
  device_name: words,
  platform: words,
  created_at: instant,
  last_seen_at: nullable(instant),
  last_sync_at: nullable(instant),
  revoked_at: nullable(instant),
});

export const devices = record<wire.Devices>({ devices: list(device) });

export const linkCode = record<wire.LinkCode>({ link_code: words, expires_at: instant });

export const user = record<wire.User>({
  id: words,
  email: words,
  name: nullable(words),
  createdAt: instant,
  role: words,
});

export const session = record<wire.Session>({ accessToken: words, user, csrfToken: words });

export const refusal = record<wire.Refusal>({
  error: words,
  message: words,
  statusCode: whole,
  row: optional(whole),
  field: optional(words),
});
