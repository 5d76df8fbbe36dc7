/**
 * The session of this tab (SRV-17). Its access token is in memory alone. The refresh token is in a cookie that no
 * script reads, beside one that scripts do read: what that says is sent along as a proof that a page of ours asks.
 */

import { cookieOf, type Jar, setCookie } from "#api/cookies.ts";
import { Refused, SessionEnded } from "#api/errors.ts";
import { type Http, posted } from "#api/http.ts";
import type { Turn } from "#api/turns.ts";
import type { Session, User } from "#data/wire.ts";

/** The code of a Refused that is ours: the browser keeps no cookies, so nobody can be signed in. */
export const NO_COOKIES = "NO_COOKIES";

const PROOF = "vibescore_csrf";
const MARGIN_SECONDS = 30;
const UNKNOWN_LIFETIME = Number.POSITIVE_INFINITY;

/** Until `until`, in milliseconds of our clock, the token need not be renewed. */
interface Held {
  user: User;
  token: string;
  until: number;
}

export interface SessionOptions {
  http: Http;
  jar: Jar;
  turn: Turn;
  /** Milliseconds. */
  now: () => number;
  /** Called when the session ends without anybody having ended it in this tab. */
  onEnd: () => void;
}

export class TabSession {
  readonly #http: Http;
  readonly #jar: Jar;
  readonly #turn: Turn;
  readonly #now: () => number;
  readonly #onEnd: () => void;
  #held: Held | undefined;
  #renewal: Promise<Held> | undefined;

  constructor({ http, jar, turn, now, onEnd }: SessionOptions) {
    this.#http = http;
    this.#jar = jar;
    this.#turn = turn;
    this.#now = now;
    this.#onEnd = onEnd;
  }

  get user(): User | undefined {
    return this.#held?.user;
  }

  /** Sign up or in. Throws Refused, Unreachable. */
  begin(path: string, entry: object): Promise<User> {
    return this.#turn(async () => {
      const answer = await this.#http.json<Session>(path, "accessToken", posted(entry));
      if (!this.#proof()) throw new Refused(403, NO_COOKIES, "The browser keeps no cookies.");
      return this.#hold(answer).user;
    });
  }

  /** Who is signed in; null: nobody. Throws Unreachable. */
  async resume(): Promise<User | null> {
    try {
      return (await this.#valid()).user;
    } catch (error) {
      if (error instanceof SessionEnded) return null;
      throw error;
    }
  }

  /** Sign out. Throws Unreachable when the server cannot be told: the session goes on. */
  async end(): Promise<void> {
    await this.#turn(async () => {
      if (this.#proof()) await this.#proven("/api/auth/logout", "success");
    });
    this.#held = undefined;
  }

  /** The session is gone with its user. */
  forget(): void {
    this.#held = undefined;
    this.#dropProof();
  }

  /**
   * What the server answers to a request with an access token, and when it does not take the token any more, to the
   * same with a new one. Throws SessionEnded, and what `ask` throws.
   */
  async authorised<T>(ask: (headers: { Authorization: string }) => Promise<T>): Promise<T> {
    const held = await this.#valid();
    try {
      return await ask(bearer(held));
    } catch (error) {
      if (!isRefused(error, 401)) throw error;
    }
    return await this.#again(await this.#instead(held), ask);
  }

  async #again<T>(held: Held, ask: (headers: { Authorization: string }) => Promise<T>): Promise<T> {
    try {
      return await ask(bearer(held));
    } catch (error) {
      if (!isRefused(error, 401)) throw error;
      throw this.#held === held ? this.#over() : new SessionEnded();
    }
  }

  /** Without the cookie somebody has signed out, maybe in another tab. */
  async #valid(): Promise<Held> {
    if (!this.#proof()) throw this.#held ? this.#over() : new SessionEnded();
    return this.#held && this.#now() < this.#held.until ? this.#held : await this.#renewed();
  }

  /** Meanwhile somebody else may have signed in, whose answer is not for this asker. */
  async #instead(stale: Held): Promise<Held> {
    const held = this.#held === stale ? await this.#renewed() : this.#held;
    if (held?.user.id !== stale.user.id) throw new SessionEnded();
    return held;
  }

  /** One renewal for all who wait for it. */
  #renewed(): Promise<Held> {
    this.#renewal ??= this.#turn(() => this.#renew()).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #renew(): Promise<Held> {
    const before = this.#held;
    const answer = await this.#refreshed();
    if (before && before.user.id !== answer.user.id) throw this.#over();
    return this.#hold(answer);
  }

  async #refreshed(): Promise<Session> {
    try {
      return await this.#proven<Session>("/api/auth/refresh", "accessToken");
    } catch (error) {
      if (!isRefused(error, 401, 403)) throw error;
      this.#dropProof();
      throw this.#over();
    }
  }

  /**
   * Once more when it is refused though the cookies are others by now: the browser may have sent those of a page that
   * takes no turns (a form of the server's), beside the proof of before.
   */
  async #proven<T extends object>(path: string, field: keyof T & string): Promise<T> {
    const proof = this.#proof();
    try {
      return await this.#prove(path, field, proof);
    } catch (error) {
      const now = this.#proof();
      if (!isRefused(error, 401, 403) || now === proof) throw error;
      return await this.#prove(path, field, now);
    }
  }

  /** Leaving the page does not break it off: its answer has the only cookie that will do next time. */
  #prove<T extends object>(path: string, field: keyof T & string, proof = ""): Promise<T> {
    const headers = { "X-CSRF-Token": proof };
    return this.#http.json<T>(path, field, { method: "POST", keepalive: true, headers });
  }

  #hold({ accessToken, user }: Session): Held {
    const seconds = lifetimeOf(accessToken);
    const until = this.#now() + 1_000 * (seconds - Math.min(MARGIN_SECONDS, seconds / 4));
    this.#held = { user, token: accessToken, until };
    return this.#held;
  }

  #over(): SessionEnded {
    this.#held = undefined;
    this.#onEnd();
    return new SessionEnded();
  }

  #proof(): string | undefined {
    return cookieOf(this.#jar, PROOF);
  }

  #dropProof(): void {
    setCookie(this.#jar, PROOF, "", 0);
  }
}

function bearer({ token }: Held): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}

function isRefused(error: unknown, ...statuses: number[]): boolean {
  return error instanceof Refused && statuses.includes(error.status);
}

/**
 * Seconds from now on, as the token (RFC 7519) says itself: by the difference of its times, since our clock may be
 * wrong. It is not verified: where it misleads us, the server's 401 tells.
 */
function lifetimeOf(token: string): number {
  try {
    const [, claims = ""] = token.replaceAll("-", "+").replaceAll("_", "/").split(".");
    const { iat, exp } = JSON.parse(atob(claims)) as { iat: number; exp: number };
    return exp > iat ? exp - iat : UNKNOWN_LIFETIME;
  } catch {
    return UNKNOWN_LIFETIME;
  }
}
