/** Tells TypeScript the keys of the registry, each with the values its text takes: `npm run types`. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REGISTRY, readTexts, type Texts } from "./registry.ts";

const KEYS = "src/copy/keys.d.ts";

/** Writes src/copy/keys.d.ts, unless that is what it says. */
export function writeKeys(root: string): void {
  const file = join(root, KEYS);
  const now = declared(readTexts(join(root, REGISTRY)));
  if (!existsSync(file) || readFileSync(file, "utf8") !== now) writeFileSync(file, now);
}

function declared(texts: Texts): string {
  const keys = [...texts].map(([key, text]) => `  ${JSON.stringify(key)}: ${valuesOf(text)};\n`);
  return `/** Written by build/keys.ts from the registry. */\nexport interface Keys {\n${keys.join("")}}\n`;
}

/** The names in the braces of a text, as a type. */
function valuesOf(text: string): string {
  const names = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => JSON.stringify(name));
  return names.join(" | ") || "never";
}

if (import.meta.main) writeKeys(process.cwd());
