/** The golden wire files (tests/golden of the repository): what the server answers, by example. */

import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../../tests/golden/wire/", import.meta.url);

export interface Exchange {
  /** As the file, such as `309-daily-utc`. */
  name: string;
  /** The time on the server's clock. */
  at: Date;
  path: string;
  query: Record<string, string>;
  status: number;
  body: unknown;
}

export const EXCHANGES: readonly Exchange[] = readdirSync(FOLDER)
  .sort()
  .map((file) => exchangeOf(file));

/** The exchanges that went well on an endpoint, such as `usage-daily` or `/api/auth/sessions`. */
export function answersOf(endpoint: string): Exchange[] {
  const path = endpoint.startsWith("/") ? endpoint : `/functions/vibescore-${endpoint}`;
  return EXCHANGES.filter((each) => each.path === path && each.status < 300);
}

export function answer(name: string): Exchange {
  const found = EXCHANGES.find((each) => each.name === name);
  if (!found) throw new Error(`there is no golden wire file ${name}.json`);
  return found;
}

function exchangeOf(file: string): Exchange {
  const { at, request, response } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
  const { path, query = {} } = request;
  const { status, body } = response;
  return { name: file.replace(".json", ""), at: new Date(at), path, query, status, body };
}
