/**
 * What can go wrong between the page and the server:
 *
 *     Unreachable     no answer in time, 5xx, or an answer that no vibescore server gives
 *     Refused         4xx: the server understood, and will not
 *     SessionEnded    401, and refreshing did not help: sign in again
 */

/** What was known before may be shown (DSH-10). `retryAfter` are the seconds that the server asks for, if it does. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfter?: number | undefined } = {}) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter;
  }
}

/** `code` and `message` are the server's `error` and sentence; `retryAfter` is in seconds. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export class SessionEnded extends Error {
  override readonly name = "SessionEnded";

  constructor() {
    super("The session has ended: sign in again.");
  }
}
