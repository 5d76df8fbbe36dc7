import { Refused, SessionEnded } from "#api/errors.ts";
import { NO_COOKIES } from "#api/session.ts";
import { text } from "#copy/index.ts";

/** What to say of a request that failed; why it refuses one, the server says itself. */
export function sayOf(error: unknown): string {
  if (error instanceof SessionEnded) return text("failure.request.ended");
  if (!(error instanceof Refused)) return text("failure.request.unreachable");
  return error.code === NO_COOKIES ? text("failure.request.no_cookies") : error.message;
}
