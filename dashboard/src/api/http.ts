/** The only code that fetches (QUE-09): what comes back is the answer of a vibescore server, or an error. */

import { Refused, Unreachable } from "#api/errors.ts";
import type { Refusal } from "#data/wire.ts";

/** The version of the API that the server is asked for; another one answers 400 `API_VERSION`. */
export const API_VERSION = 1;

/** What a request may say beyond what all say. */
export type Outgoing = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

const FOREIGN = "What answers is no vibescore server.";

export class Http {
  readonly #origin: string;
  readonly #timeout: number;
  readonly #onUnreachable: () => void;

  /** `timeout` is in milliseconds, for a whole answer; `onUnreachable` is called for each that fails to come. */
  constructor(origin: string, timeout: number, onUnreachable: () => void = () => {}) {
    this.#origin = origin;
    this.#timeout = timeout;
    this.#onUnreachable = onUnreachable;
  }

  /** The JSON object that answers; others than the server's lack the `field`. Throws Unreachable, Refused. */
  json<T extends object>(path: string, field: keyof T & string, init: Outgoing = {}): Promise<T> {
    return this.#noted(async () => {
      const body = await bodyOf(await this.#send(path, init));
      if (!isObject(body) || !(field in body)) throw new Unreachable(FOREIGN);
      return body as T;
    });
  }

  /** The file that answers. Throws Unreachable, Refused. */
  file(path: string, type: string, init: Outgoing): Promise<Blob> {
    return this.#noted(async () => {
      const response = await this.#send(path, init);
      if (!response.headers.get("Content-Type")?.startsWith(type)) throw new Unreachable(FOREIGN);
      return await response.blob().catch(notReached);
    });
  }

  async #noted<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Unreachable) this.#onUnreachable();
      throw error;
    }
  }

  async #send(path: string, { headers, ...init }: Outgoing): Promise<Response> {
    const response = await fetch(this.#origin + path, {
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(this.#timeout),
      ...init,
      headers: { Accept: "application/json", "X-Vibescore-Api": `${API_VERSION}`, ...headers },
    }).catch(notReached);
    if (!response.ok) throw await failureOf(response);
    return response;
  }
}

/** A POST of `body` as JSON. */
export function posted(body: object, headers: Record<string, string> = {}): Outgoing {
  const typed = { "Content-Type": "application/json", ...headers };
  return { method: "POST", headers: typed, body: JSON.stringify(body) };
}

/**
 * The seconds that a `Retry-After` means (RFC 9110, 10.2.3: seconds or a date); undefined when there is none that can
 * be understood. `now` is in milliseconds.
 */
export function secondsOf(retryAfter: string | null, now: number): number | undefined {
  if (retryAfter === null) return undefined;
  const isNumber = /^\d{1,9}$/.test(retryAfter);
  const seconds = isNumber ? Number(retryAfter) : (Date.parse(retryAfter) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(seconds, 0);
}

async function failureOf(response: Response): Promise<Unreachable | Refused> {
  const { status } = response;
  const retryAfter = secondsOf(response.headers.get("Retry-After"), Date.now());
  if (status >= 500)
    return new Unreachable(`The server is out of order (${status}).`, { retryAfter });
  const told = await bodyOf(response);
  if (!isRefusal(told)) return new Unreachable(FOREIGN);
  return new Refused(status, told.error, told.message, retryAfter);
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text().catch(notReached);
  try {
    return JSON.parse(text);
  } catch {
    throw new Unreachable(FOREIGN);
  }
}

function isRefusal(body: unknown): body is Refusal {
  return isObject(body) && "error" in body && "statusCode" in body;
}

function isObject(body: unknown): body is object {
  return typeof body === "object" && body !== null;
}

function notReached(cause: unknown): never {
  throw new Unreachable("The server cannot be reached.", { cause });
}
