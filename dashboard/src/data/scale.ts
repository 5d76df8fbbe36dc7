/** The y axis in K, M, B: round numbers of tokens from 0 to the peak or a little above (DSH-07). */

import { compact } from "#data/numbers.ts";

/** In tokens. The last of the steps is `top`. */
export interface Scale {
  top: number;
  steps: { at: number; text: string }[];
}

const MOST_STEPS = 4n;

/** Tenths. None is more than twice the one before, so that it takes three steps at least. */
const ROUND = [10n, 15n, 20n, 25n, 30n, 40n, 50n, 60n, 80n];

/** Lines at 0 and at three or four equal steps; without tokens an axis of four single ones. */
export function scaleOf(peak: bigint): Scale {
  const reach = peak > MOST_STEPS ? peak : MOST_STEPS;
  const step = roundStep(reach);
  const count = Number((reach + step - 1n) / step);
  const steps = Array.from({ length: count + 1 }, (_, nth) => step * BigInt(nth));
  return {
    top: Number(step) * count,
    steps: steps.map((tokens) => ({ at: Number(tokens), text: compact(tokens) })),
  };
}

/** The smallest round number, in whole tokens, of which four reach the peak. */
function roundStep(peak: bigint): bigint {
  for (let power = 1n; ; power *= 10n) {
    const steps = ROUND.map((tenths) => tenths * power).filter((tenths) => tenths % 10n === 0n);
    const tenths = steps.find((tenths) => tenths * MOST_STEPS >= peak * 10n);
    if (tenths) return tenths / 10n;
  }
}
