import { describe, expect, it } from "vitest";
import { ascending, compact, dollars, exact, fraction, percent } from "#data/numbers.ts";

const HUGE = 2n ** 53n + 1n;

describe("compact", () => {
  it.each<[bigint, string]>([
    [0n, "0"],
    [7n, "7"],
    [999n, "999"],
    [1_000n, "1K"],
    [1_049n, "1K"],
    [1_050n, "1.1K"],
    [1_234n, "1.2K"],
    [12_345n, "12.3K"],
    [999_949n, "999.9K"],
    [999_950n, "1M"],
    [1_250_000n, "1.3M"],
    [999_949_999n, "999.9M"],
    [999_950_000n, "1B"],
    [999_949_999_999n, "999.9B"],
    [999_950_000_000n, "1T"],
    [HUGE, "9,007.2T"],
    [2n ** 63n - 1n, "9,223,372T"],
  ])("[DSH-07] writes %d with one decimal in K, M, B or T: %s", (tokens, text) => {
    expect(compact(tokens)).toBe(text);
  });
});

describe("exact", () => {
  it.each<[bigint, string]>([
    [0n, "0"],
    [999n, "999"],
    [1_000n, "1,000"],
    [1_234_567n, "1,234,567"],
    [HUGE, "9,007,199,254,740,993"],
    [10n ** 21n, "1,000,000,000,000,000,000,000"],
  ])("[DSH-07] writes every digit of %d: %s", (tokens, text) => {
    expect(exact(tokens)).toBe(text);
  });
});

describe("dollars", () => {
  it.each([
    ["0", "$0.00"],
    ["0.000000", "$0.00"],
    ["0.000001", "<$0.01"],
    ["0.009999", "<$0.01"],
    ["0.010000", "$0.01"],
    ["0.014999", "$0.01"],
    ["0.015000", "$0.02"],
    ["0.995000", "$1.00"],
    ["8.454503", "$8.45"],
    ["12", "$12.00"],
    ["12.5", "$12.50"],
    ["1234.567890", "$1,234.57"],
    ["9007199254740993.994999", "$9,007,199,254,740,993.99"],
  ])("[DSH-09] writes %s as %s", (usd, text) => {
    expect(dollars(usd)).toBe(text);
  });
});

describe("percent", () => {
  it.each<[bigint, bigint, string]>([
    [0n, 0n, "0%"],
    [0n, 5n, "0%"],
    [1n, 1_001n, "<0.1%"],
    [1n, 1_000n, "0.1%"],
    [1n, 8n, "12.5%"],
    [1n, 3n, "33.3%"],
    [2n, 3n, "66.7%"],
    [1n, 2n, "50%"],
    [999n, 1_000n, "99.9%"],
    [1_000n, 1_001n, ">99.9%"],
    [5n, 5n, "100%"],
    [HUGE, HUGE * 1_000n, "0.1%"],
    [HUGE, HUGE * 1_000n + 1n, "<0.1%"],
  ])("[DSH-14] says that %d of %d is %s", (part, whole, text) => {
    expect(percent(part, whole)).toBe(text);
  });
});

describe("fraction", () => {
  it.each<[bigint, bigint, number]>([
    [0n, 0n, 0],
    [0n, 5n, 0],
    [1n, 4n, 0.25],
    [5n, 5n, 1],
    [2n ** 200n, 2n ** 203n, 0.125],
    [1n, 10n ** 20n, 1e-20],
  ])("says that %d of %d is %d", (part, whole, number) => {
    expect(fraction(part, whole)).toBe(number);
  });
});

describe("ascending", () => {
  it("orders numbers that are alike as doubles", () => {
    expect([HUGE, 3n, HUGE - 1n, 3n].sort(ascending)).toEqual([3n, 3n, HUGE - 1n, HUGE]);
  });
});
