/**
 * Numbers as they are read. Tokens are `bigint` throughout: their sums may go beyond 2^53. Nothing here is below zero.
 */

const UNITS = [
  { size: 1n, name: "" },
  { size: 1_000n, name: "K" },
  { size: 1_000_000n, name: "M" },
  { size: 1_000_000_000n, name: "B" },
];
const LARGEST = { size: 1_000_000_000_000n, name: "T" };

/** `1.2M`: one decimal at most, rounded half up, in the unit in which that is below 1,000. */
export function compact(tokens: bigint): string {
  const { size, name } = UNITS.find((unit) => tenths(tokens, unit.size) < 10_000n) ?? LARGEST;
  return decimal(tenths(tokens, size)) + name;
}

/** `1,234,567`. */
export function exact(tokens: bigint): string {
  return String(tokens).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `$1,234.57` of a decimal string, rounded half up; what is above zero and below a cent is `<$0.01`. */
export function dollars(usd: string): string {
  const [whole = "", decimals = ""] = usd.split(".");
  const amount = BigInt(whole + decimals);
  const one = 10n ** BigInt(decimals.length);
  if (amount > 0n && amount * 100n < one) return "<$0.01";
  const cents = rounded(amount * 100n, one);
  return `$${exact(cents / 100n)}.${String(cents % 100n).padStart(2, "0")}`;
}

/**
 * `12.3%`. Only nothing is `0%` and only everything is `100%`: what is within a tenth of them says `<0.1%`
 * and `>99.9%`. A part of nothing is `0%`.
 */
export function percent(part: bigint, whole: bigint): string {
  if (part > 0n && part * 1_000n < whole) return "<0.1%";
  if (part < whole && part * 1_000n > whole * 999n) return ">99.9%";
  return whole ? `${decimal(tenths(part * 100n, whole))}%` : "0%";
}

/** The part as a number from 0 to 1; 0 when there is no whole. */
export function fraction(part: bigint, whole: bigint): number {
  return whole ? Number(part) / Number(whole) : 0;
}

/** Puts the smaller one first, for `sort`. */
export function ascending(one: bigint, other: bigint): number {
  return Number(one > other) - Number(one < other);
}

function tenths(value: bigint, size: bigint): bigint {
  return rounded(value * 10n, size);
}

function rounded(value: bigint, size: bigint): bigint {
  return (value + size / 2n) / size;
}

/** `1,234.5`, without `.0`. */
function decimal(tenths: bigint): string {
  const rest = tenths % 10n;
  return exact(tenths / 10n) + (rest ? `.${rest}` : "");
}
