import { describe, expect, it } from "vitest";
import { addUp, sumsOf } from "#data/sums.ts";
import { tokens } from "./answers.ts";

const ROW = {
  total_tokens: "9007199254740993",
  input_tokens: "9007199254740000",
  cached_input_tokens: "5",
  output_tokens: "993",
  reasoning_output_tokens: "7",
};
const SUMS = {
  total: 2n ** 53n + 1n,
  input: 9007199254740000n,
  cached: 5n,
  output: 993n,
  reasoning: 7n,
};

describe("sums", () => {
  it("[DSH-09] keeps every token of numbers beyond 2^53", () => {
    expect(sumsOf(ROW)).toEqual(SUMS);
    expect(addUp([ROW, tokens(1), ROW])).toEqual({
      total: 2n ** 54n + 3n,
      input: 18014398509480001n,
      cached: 10n,
      output: 1986n,
      reasoning: 14n,
    });
  });

  it("[DSH-09] is zero without rows", () => {
    expect(addUp([])).toEqual({ total: 0n, input: 0n, cached: 0n, output: 0n, reasoning: 0n });
  });
});
