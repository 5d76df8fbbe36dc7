/**
 * The answers of the server as they come over the wire (/openapi.json on the server): token counts are decimal
 * strings, times ISO-8601 UTC, days `YYYY-MM-DD` and months `YYYY-MM` in the time zone asked for.
 */

export type Period = "day" | "week" | "month" | "total";

export interface TokenFields {
  total_tokens: string;
  input_tokens: string;
  cached_input_tokens: string;
  output_tokens: string;
  reasoning_output_tokens: string;
}

/** With `total_cost_usd` in US dollars, six decimals. */
export interface Totals extends TokenFields {
  total_cost_usd: string;
}

/** US dollars per million tokens. */
export interface Rates {
  input: string;
  cached_input: string;
  output: string;
  reasoning_output: string;
}

/** `model` is the one with most tokens; `unpriced_models` have no price for some of their tokens at least. */
export interface Pricing {
  model: string;
  pricing_mode: "add" | "overlap" | "mixed";
  source: string | null;
  effective_from: string | null;
  rates: Rates;
  rates_per_million_usd: Rates;
  unpriced_models: string[];
}

export interface Summary {
  from: string;
  to: string;
  days: number;
  totals: Totals;
  pricing: Pricing;
}

export interface DayRow extends TokenFields {
  day: string;
}

export interface Daily {
  from: string;
  to: string;
  data: DayRow[];
  summary: { totals: Totals; pricing: Pricing };
}

/** `hour` is local, `YYYY-MM-DDTHH:00:00`; in autumn an hour may stand there twice. */
export interface HourRow extends TokenFields {
  hour: string;
  hour_start_utc: string;
  missing?: true;
}

export interface Hourly {
  day: string;
  data: HourRow[];
  sync: { last_sync_at: string | null; min_interval_minutes: number };
}

export interface MonthRow extends TokenFields {
  month: string;
}

export interface Monthly {
  from: string;
  to: string;
  months: number;
  data: MonthRow[];
}

/** `level` 0 (nothing) to 4. */
export interface DayCell {
  day: string;
  value: string;
  level: number;
}

/** A column is a week; days after `to` are null. */
export interface Heatmap {
  from: string;
  to: string;
  week_starts_on: "sun" | "mon";
  weeks: (DayCell | null)[][];
  thresholds: string[];
  active_days: number;
  streak_days: number;
}

export interface ModelTotals {
  model: string;
  totals: Totals;
}

export interface SourceTotals {
  source: string;
  totals: Totals;
  models: ModelTotals[];
}

export interface ModelBreakdown {
  from: string;
  to: string;
  days: number;
  sources: SourceTotals[];
  pricing: Pricing;
}

export interface BoardEntry {
  rank: number;
  is_me: boolean;
  is_public: boolean;
  display_name: string;
  avatar_url: null;
  total_tokens: string;
}

/** `me` also when one's place is outside of `entries`; no rank without tokens. Days are UTC. */
export interface Board {
  period: Period;
  from: string;
  to: string;
  generated_at: string;
  entries: BoardEntry[];
  me: { rank: number | null; total_tokens: string };
}

export interface BoardSettings {
  leaderboard_public: boolean;
  updated_at: string | null;
}

export interface Device {
  device_id: string;
  device_name: string;
  platform: string;
  created_at: string;
  last_seen_at: string | null;
  last_sync_at: string | null;
  revoked_at: string | null;
}

export interface Devices {
  devices: Device[];
}

export interface LinkCode {
  link_code: string;
  expires_at: string;
}

/** What a computer sends along when it opens the browser (RFC 7636, RFC 8252). */
export interface BrowserRequest {
  redirect_uri: string;
  state: string;
  code_challenge: string;
  code_challenge_method: "S256";
  device_name: string;
  platform: string;
}

/** What the computer asks for that shows a code (RFC 8628). */
export interface CodeRequest {
  device_name: string;
  platform: string;
  expires_at: string;
}

export interface User {
  id: string;
  email: string;
  name: string | null;
  createdAt: string;
  role: string;
}

export interface Session {
  accessToken: string;
  user: User;
  csrfToken: string;
}

/** Every refusal; `row` and `field` when a row of a batch is wrong. */
export interface Refusal {
  error: string;
  message: string;
  statusCode: number;
  row?: number;
  field?: string;
}
