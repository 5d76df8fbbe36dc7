/** What each model was used for, and what it costs (DSH-14). */

import { ascending, dollars, fraction, percent } from "#data/numbers.ts";
import type { ModelBreakdown } from "#data/wire.ts";

/** `share` and `fraction` are of all tokens of the answer; `cost` leaves out tokens without a price unless `priced`. */
export interface ModelRow {
  source: string;
  model: string;
  tokens: bigint;
  share: string;
  fraction: number;
  cost: string;
  priced: boolean;
}

/** Most tokens first, equal ones as they come. */
export function modelRows({ sources, pricing }: ModelBreakdown): ModelRow[] {
  const used = sources.flatMap(({ source, models }) =>
    models.map(({ model, totals }) => ({
      source,
      model,
      totals,
      tokens: BigInt(totals.total_tokens),
    })),
  );
  const whole = used.reduce((sum, { tokens }) => sum + tokens, 0n);
  return used
    .sort((one, other) => ascending(other.tokens, one.tokens))
    .map(({ totals, ...row }) => ({
      ...row,
      share: percent(row.tokens, whole),
      fraction: fraction(row.tokens, whole),
      cost: dollars(totals.total_cost_usd),
      priced: !pricing.unpriced_models.includes(row.model),
    }));
}
