/** Sessions by the rules of the project's server (SRV-17), for a scripted one. */

import { setTimeout as pause } from "node:timers/promises";
import type { Session, User } from "#data/wire.ts";
import type { Answer, Asked, Backend, Script } from "./backend.ts";
import { golden } from "./golden.ts";
import type { CookieJar } from "./jar.ts";

export const REFRESH = "POST /api/auth/refresh";
export const SIGN_IN = "POST /api/auth/sessions";
export const LOGOUT = "POST /api/auth/logout";
export const PROOF = "vibescore_csrf";

export const { user: ADA } = golden("023-sign-up-ada").response.body as Session;
export const BEN: User = { ...ADA, id: "9a1e0a35-3b0d-4a06-b3b4-8b1d6f0f51f0", name: "Ben" };
export const UNAUTHORIZED = golden("034-refresh-reused").response;
export const WRONG_PROOF = golden("031-refresh-no-csrf").response;

/** Milliseconds on the way back, in which a second request can use the cookie of the first. */
const LATENCY = 20;
const LIFETIME_SECONDS = 900;

/**
 * The sessions of one browser. Its jar stands for the cookie that no script can read, as well: both change together,
 * and here they say the same.
 */
export class Sessions {
  readonly #jar: CookieJar;
  readonly #spent = new Set<string>();
  readonly #tokens = new Map<string, User>();
  #owner: User | null = null;
  #made = 0;

  constructor(backend: Backend, jar: CookieJar) {
    this.#jar = jar;
    backend.on(SIGN_IN, () => this.open(ADA));
    backend.on(REFRESH, (asked) => this.#rotate(asked));
    backend.on(LOGOUT, (asked) => this.#close(asked));
  }

  /** As signing in does. */
  open(user: User, lifetime = LIFETIME_SECONDS): Answer {
    this.#owner = user;
    this.#made += 1;
    this.#jar.cookie = `${PROOF}=session-${this.#made}`;
    return { status: 200, body: { accessToken: this.#token(user, lifetime), user, csrfToken: "" } };
  }

  /** As signing out in another tab does. */
  clear(): void {
    this.#owner = null;
    this.#jar.cookie = `${PROOF}=; Max-Age=0`;
  }

  /** Access tokens that were given until now are over. */
  expire(): void {
    this.#tokens.clear();
  }

  /** Nor can the session be refreshed. */
  end(): void {
    this.expire();
    this.#owner = null;
  }

  /** The answer for those who show an access token. */
  only(answer: Answer): Script {
    return ({ headers }) => (this.userOf(headers.authorization) ? answer : UNAUTHORIZED);
  }

  userOf(authorization = ""): User | undefined {
    return this.#tokens.get(authorization.replace("Bearer ", ""));
  }

  async #rotate({ headers }: Asked): Promise<Answer> {
    const session = this.#session();
    if (headers["x-csrf-token"] !== session) return WRONG_PROOF;
    if (this.#spent.has(session)) this.#owner = null;
    this.#spent.add(session);
    await pause(LATENCY);
    return this.#owner ? this.open(this.#owner) : UNAUTHORIZED;
  }

  #close({ headers }: Asked): Answer {
    if (headers["x-csrf-token"] !== this.#session()) return WRONG_PROOF;
    this.clear();
    return golden("038-logout").response;
  }

  /** What the browser sends along with a request. */
  #session(): string {
    return this.#jar.cookie.match(/vibescore_csrf=([^;]+)/)?.[1] ?? "";
  }

  #token(user: User, lifetime: number): string {
    const iat = 1_766_401_211;
    const claims = { sub: user.id, aud: "vibescore", iat, exp: iat + lifetime, jti: this.#made };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;
    this.#tokens.set(token, user);
    return token;
  }
}
