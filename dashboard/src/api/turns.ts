/**
 * One tab at a time. A refresh token can be used once, a moment of grace aside: two tabs that show the same one are
 * taken for its owner and a thief, and the session ends for both (RFC 9700, 4.14.2). So whatever changes the session's
 * cookies takes a turn.
 */

import { cookieOf, type Jar, setCookie } from "#api/cookies.ts";

export type Turn = <T>(task: () => Promise<T>) => Promise<T>;

const NAME = "vibescore_turn";
const LEASE_SECONDS = 3;
const BEAT = 1_000;
const SETTLE = 50;

/** By the browser's locks, which it has only where the page came safely: by https, or from this computer. */
export function turnsBy(locks: LockManager | null, jar: Jar): Turn {
  return locks ? (task) => locks.request(NAME, task) : (task) => new Lease(jar).during(task);
}

/**
 * A cookie that says whose turn it is. It lapses by itself when its tab is gone. Of several tabs that find it free at
 * once, the last to write has it, which all of them see a moment later (Fischer's algorithm).
 */
class Lease {
  readonly #jar: Jar;
  readonly #mine = crypto.getRandomValues(new Uint32Array(2)).join("-");

  constructor(jar: Jar) {
    this.#jar = jar;
  }

  async during<T>(task: () => Promise<T>): Promise<T> {
    globalThis.addEventListener?.("pagehide", this.#release);
    await this.#taken();
    const beat = setInterval(this.#hold, BEAT);
    try {
      return await task();
    } finally {
      clearInterval(beat);
      this.#release();
      globalThis.removeEventListener?.("pagehide", this.#release);
    }
  }

  /** Until it is ours. A browser that keeps no cookies has no session to protect, either. */
  async #taken(): Promise<void> {
    do {
      while (this.#holder()) await pause();
      this.#hold();
      if (!this.#holder()) return;
      await pause();
    } while (this.#holder() !== this.#mine);
  }

  #holder(): string | undefined {
    return cookieOf(this.#jar, NAME);
  }

  readonly #hold = (): void => setCookie(this.#jar, NAME, this.#mine, LEASE_SECONDS);

  readonly #release = (): void => {
    if (this.#holder() === this.#mine) setCookie(this.#jar, NAME, "", 0);
  };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE));
}
