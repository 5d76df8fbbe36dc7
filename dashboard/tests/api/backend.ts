/** A server on this computer that answers by a script, and remembers what it was asked. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** A text is sent as it is, anything else as JSON. */
  body?: unknown;
}

export interface Asked {
  /** `GET /healthz`. */
  what: string;
  query: Record<string, string>;
  headers: IncomingMessage["headers"];
  body: unknown;
}

/** Null: the connection is cut. */
export type Script = (asked: Asked) => Answer | null | Promise<Answer | null>;

export class Backend {
  readonly asked: Asked[] = [];
  readonly #scripts = new Map<string, Script>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(): Promise<Backend> {
    const backend = new Backend();
    backend.#server.listen(0, "127.0.0.1");
    await once(backend.#server, "listening");
    return backend;
  }

  get origin(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** What was asked of it, in order: `GET /healthz`. */
  get questions(): string[] {
    return this.asked.map(({ what }) => what);
  }

  /** The answers to `GET /healthz`, one after the other; the last one stays. */
  on(what: string, ...answers: (Answer | Script | null)[]): void {
    const left = [...answers];
    this.#scripts.set(what, (asked) => {
      const next = left.length > 1 ? left.shift() : left[0];
      return typeof next === "function" ? next(asked) : (next ?? null);
    });
  }

  /** Cuts the connections that are open. */
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(request);
    this.asked.push(asked);
    const answer = await (this.#scripts.get(asked.what) ?? notFound)(asked);
    if (!answer) return void response.destroy();
    const { status, headers = {}, body } = answer;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
  const body = await text(request);
  return {
    what: `${request.method} ${pathname}`,
    query: Object.fromEntries(searchParams),
    headers: request.headers,
    body: body && JSON.parse(body),
  };
}

function notFound({ what }: Asked): Answer {
  const message = `No script answers ${what}.`;
  return { status: 404, body: { error: "NOT_FOUND", message, statusCode: 404 } };
}
