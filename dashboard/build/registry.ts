/**
 * The copy registry as the build reads it (DSH-15): a mistake in a row is an error with its line.
 * What else makes a registry good, `dev.py copy check` judges.
 */

import { readFileSync } from "node:fs";

/** Where it lies, from the folder of the dashboard. */
export const REGISTRY = "src/content/copy.csv";

const COLUMNS = ["key", "module", "page", "component", "slot", "text", "notes", "status"] as const;

/** A cell of RFC 4180, quoted or bare, and what ends it. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n][^,\r\n]*|))(,|\r?\n)/gy;

/** Key → text; retired keys have none. */
export type Texts = ReadonlyMap<string, string>;

export function readTexts(file: string): Texts {
  try {
    return textsOf(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** The texts of a registry. Throws when its columns or a row are not as they have to be. */
export function textsOf(csv: string): Texts {
  const [header, ...rows] = rowsOf(csv);
  if (header?.cells.join() !== COLUMNS.join()) throw new Error(`line 1 is not ${COLUMNS.join()}`);
  const texts = new Map<string, string>();
  for (const { line, cells } of rows) {
    const [key = "", , , , , text = "", , status] = cells;
    if (cells.length !== COLUMNS.length) {
      throw new Error(`line ${line} has ${cells.length} cells, not ${COLUMNS.length}`);
    }
    if (texts.has(key)) throw new Error(`line ${line}: ${key} is there already`);
    if (status !== "retired") texts.set(key, text);
  }
  return texts;
}

/** `line`: where the row begins; a cell in quotes may hold more lines. */
interface Row {
  line: number;
  cells: string[];
}

function rowsOf(csv: string): Row[] {
  const source = csv.replace(/^\uFEFF/, "").replace(/\r?\n?$/, "\n");
  const rows: Row[] = [];
  let row: Row = { line: 1, cells: [] };
  let line = 1;
  let read = 0;
  for (const [whole, quoted, bare = "", end] of source.matchAll(CELL)) {
    row.cells.push(quoted?.replaceAll('""', '"') ?? bare);
    read += whole.length;
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    rows.push(row);
    row = { line, cells: [] };
  }
  if (read < source.length) throw new Error(`line ${line}: a quote is missing or too many`);
  return rows;
}
