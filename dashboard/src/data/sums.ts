/** Token counts of an answer as numbers that can be added: the summary of a range is the sum of its days (DSH-09). */

import type { TokenFields } from "#data/wire.ts";

/** Tokens. `cached` is part of `input`; `reasoning` is part of `output`, but for sources that count it beside. */
export interface TokenSums {
  total: bigint;
  input: bigint;
  cached: bigint;
  output: bigint;
  reasoning: bigint;
}

export function sumsOf(row: TokenFields): TokenSums {
  return {
    total: BigInt(row.total_tokens),
    input: BigInt(row.input_tokens),
    cached: BigInt(row.cached_input_tokens),
    output: BigInt(row.output_tokens),
    reasoning: BigInt(row.reasoning_output_tokens),
  };
}

export function addUp(rows: readonly TokenFields[]): TokenSums {
  const nothing: TokenSums = { total: 0n, input: 0n, cached: 0n, output: 0n, reasoning: 0n };
  return rows.map(sumsOf).reduce(plus, nothing);
}

function plus(one: TokenSums, other: TokenSums): TokenSums {
  return {
    total: one.total + other.total,
    input: one.input + other.input,
    cached: one.cached + other.cached,
    output: one.output + other.output,
    reasoning: one.reasoning + other.reasoning,
  };
}
