/** Sums and costs in the form of the server's answers (SRV-11). */

import { GEMINI, grouped, type Tokens, type Use } from "#api/mock/life.ts";
import type { Pricing, Rates, SourceTotals, TokenFields, Totals } from "#data/wire.ts";

/** Micro-dollars per million tokens. */
interface Price {
  input: bigint;
  cached: bigint;
  output: bigint;
}

const DEFAULT_MODEL = "gpt-5.3-codex";

const FREE: Price = { input: 0n, cached: 0n, output: 0n };

/** The model that is not here has no price. */
const PRICES: Record<string, Price> = {
  "gpt-5.3-codex": { input: 1_750_000n, cached: 175_000n, output: 14_000_000n },
  "gpt-5.5-codex": { input: 5_000_000n, cached: 500_000n, output: 30_000_000n },
  "claude-sonnet-5": { input: 2_000_000n, cached: 200_000n, output: 10_000_000n },
  "gemini-3.1-pro": { input: 2_000_000n, cached: 200_000n, output: 12_000_000n },
};

export function fieldsOf(tokens: readonly Tokens[] = []): TokenFields {
  const sum = (which: keyof Tokens) => String(tokens.reduce((all, each) => all + each[which], 0));
  return {
    total_tokens: sum("total"),
    input_tokens: sum("input"),
    cached_input_tokens: sum("cached"),
    output_tokens: sum("output"),
    reasoning_output_tokens: sum("reasoning"),
  };
}

export function totalsOf(uses: readonly Use[]): Totals {
  const picodollars = uses.reduce((all, use) => all + costOf(use), 0n);
  return { ...fieldsOf(uses), total_cost_usd: usd((picodollars + 500_000n) / 1_000_000n) };
}

/** Most tokens first, sources and the models of each. */
export function sourcesOf(uses: readonly Use[]): SourceTotals[] {
  return ranked(uses, "source").map(([source, ofSource]) => ({
    source,
    totals: totalsOf(ofSource),
    models: ranked(ofSource, "model").map(([model, ofModel]) => ({
      model,
      totals: totalsOf(ofModel),
    })),
  }));
}

/** Of the priced model with most tokens. */
export function pricingOf(uses: readonly Use[]): Pricing {
  const models = ranked(uses, "model").map(([model]) => model);
  const model = models.find((each) => each in PRICES) ?? DEFAULT_MODEL;
  const rates = ratesOf(PRICES[model] ?? FREE);
  return {
    model,
    pricing_mode: modeOf(uses),
    source: "bundled",
    effective_from: null,
    rates,
    rates_per_million_usd: rates,
    unpriced_models: models.filter((each) => !(each in PRICES)).sort(),
  };
}

function modeOf(uses: readonly Use[]): Pricing["pricing_mode"] {
  const beside = uses.filter(({ source }) => source === GEMINI).length;
  if (beside === 0) return "overlap";
  return beside === uses.length ? "add" : "mixed";
}

/** Most tokens first. */
function ranked(uses: readonly Use[], by: "source" | "model"): [string, Use[]][] {
  const groups = [...grouped(uses, (use) => use[by])];
  return groups.sort(([, one], [, other]) => tokensOf(other) - tokensOf(one));
}

function tokensOf(uses: readonly Use[]): number {
  return uses.reduce((all, { total }) => all + total, 0);
}

/** Picodollars. */
function costOf({ source, model, ...tokens }: Use): bigint {
  const { input, cached, output } = PRICES[model] ?? FREE;
  const said = tokens.output + (source === GEMINI ? tokens.reasoning : 0);
  return (
    BigInt(tokens.input - tokens.cached) * input +
    BigInt(tokens.cached) * cached +
    BigInt(said) * output
  );
}

function ratesOf({ input, cached, output }: Price): Rates {
  return {
    input: usd(input),
    cached_input: usd(cached),
    output: usd(output),
    reasoning_output: usd(output),
  };
}

/** Of micro-dollars, with six decimals. */
function usd(micro: bigint): string {
  const digits = String(micro).padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
