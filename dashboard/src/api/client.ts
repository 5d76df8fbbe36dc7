/** What a signed-in user asks of the server's functions. */

import { type Http, posted } from "#api/http.ts";
import type { TabSession } from "#api/session.ts";

/** Milliseconds: there may be years to send. */
const FILE_WITHIN = 300_000;

/** Everything throws Unreachable, Refused and SessionEnded; `field` is one that the answer has to have. */
export class Client {
  readonly #http: Http;
  readonly #session: TabSession;
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(http: Http, session: TabSession) {
    this.#http = http;
    this.#session = session;
  }

  /** What is asked for twice at the same time is asked for once. */
  get<T extends object>(
    slug: string,
    field: keyof T & string,
    parameters: Record<string, string> = {},
  ): Promise<T> {
    const query = new URLSearchParams(parameters);
    const path = query.size ? `${pathOf(slug)}?${query}` : pathOf(slug);
    return this.#once(`${this.#session.user?.id} ${path}`, () =>
      this.#session.authorised((headers) => this.#http.json<T>(path, field, { headers })),
    );
  }

  post<T extends object>(slug: string, field: keyof T & string, body: object = {}): Promise<T> {
    return this.#session.authorised((headers) =>
      this.#http.json<T>(pathOf(slug), field, posted(body, headers)),
    );
  }

  file(slug: string, type: string): Promise<Blob> {
    return this.#session.authorised((headers) =>
      this.#http.file(pathOf(slug), type, { headers, signal: AbortSignal.timeout(FILE_WITHIN) }),
    );
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#underWay.get(key) as Promise<T> | undefined;
    if (asked) return asked;
    const asking = ask().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asking);
    return asking;
  }
}

function pathOf(slug: string): string {
  return `/functions/vibescore-${slug}`;
}
