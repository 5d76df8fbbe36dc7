import type { Keys } from "./keys.d.ts";

/** A key of the registry, content/copy.csv (DSH-15); anything else does not compile. */
export type CopyKey = keyof Keys;

/** What the braces of a text ask for: no value missing, none too many. */
type Values<Key> = Key extends CopyKey
  ? [Keys[Key]] extends [never]
    ? [values?: undefined]
    : [values: Record<Keys[Key], string | number>]
  : never;

/**
 * The text of a key, with values in the place of its `{names}`.
 *
 * The build puts texts where their keys stand (build/copy.ts): what arrives here is the text, and a
 * key is a plain string in the call itself.
 */
export function text<Key extends CopyKey>(key: Key, ...[values]: Values<Key>): string {
  const given: Record<string, string | number> = values ?? {};
  return key.replace(/\{(\w+)\}/g, (_, name: string) => String(given[name]));
}
