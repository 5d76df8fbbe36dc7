/**
 * How often to ask whether the server is there, and when it counts as down (DSH-12).
 *
 * A request that failed puts the server in doubt: the next probe comes as soon as after a failed one. Where the server
 * answers that, requests may be tried again. If they fail again, it answers probes alone, and from doubt to doubt the
 * probe takes twice as long to come.
 */

/**
 * `delay`: seconds until the next probe; `failures`: how many failed in a row; `isDoubted`: a request failed since the
 * last one; `doubts`: how many in a row came because of that, and succeeded.
 */
export interface ProbeState {
  delay: number;
  failures: number;
  isDoubted: boolean;
  doubts: number;
}

const FIRST_DELAY = 120;
const LONGEST_DELAY = 300;
const GROWTH = 60;
const DELAY_AFTER_FAILURE = 10;
const FAILURES_WHEN_DOWN = 2;

export const STARTING: ProbeState = {
  delay: FIRST_DELAY,
  failures: 0,
  isDoubted: false,
  doubts: 0,
};

/** Healthy probes become rarer; one that succeeds after a failure begins anew. */
export function afterProbe(state: ProbeState, ok: boolean): ProbeState {
  const { delay, failures, isDoubted, doubts } = state;
  if (!ok) return { ...STARTING, delay: DELAY_AFTER_FAILURE, failures: failures + 1 };
  if (isInDoubt(state)) return { ...STARTING, doubts: isDoubted ? doubts + 1 : 0 };
  return { ...STARTING, delay: Math.min(delay + GROWTH, LONGEST_DELAY) };
}

/** A request failed. */
export function afterRequest(state: ProbeState): ProbeState {
  if (isInDoubt(state)) return state;
  const delay = Math.min(DELAY_AFTER_FAILURE * 2 ** state.doubts, LONGEST_DELAY);
  return { ...state, delay, isDoubted: true };
}

/** Whether the last that was heard of the server is a failure. */
export function isInDoubt({ failures, isDoubted }: ProbeState): boolean {
  return failures > 0 || isDoubted;
}

export function isDown({ failures }: ProbeState): boolean {
  return failures >= FAILURES_WHEN_DOWN;
}
