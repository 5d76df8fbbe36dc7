/** The golden wire files (`tests/golden` of the project) as scripts of what is asked and answered. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer } from "./backend.ts";

const GOLDEN = join(import.meta.dirname, "../../../tests/golden");

export interface Exchange {
  request: { method: string; path: string; query?: Record<string, string>; body?: object };
  response: Answer;
}

/** `golden("309-daily-utc")`. */
export function golden(name: string): Exchange {
  return JSON.parse(readFileSync(join(GOLDEN, "wire", `${name}.json`), "utf8"));
}

export function goldenApiVersion(): string {
  return readFileSync(join(GOLDEN, "api-version"), "utf8").trim();
}
