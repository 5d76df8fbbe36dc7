import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

/** Hexadecimal, or by a function. */
const COLOUR = /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\(/i;

it("[DSH-02] has its colours in the theme alone, so that another theme is another file there", async () => {
  const entries = await readdir("src", { recursive: true, withFileTypes: true });
  const sheets = entries.filter(({ name }) => name.endsWith(".css"));
  const paths = sheets.map(({ parentPath, name }) => join(parentPath, name));
  const coloured: string[] = [];
  for (const path of paths) if (COLOUR.test(await readFile(path, "utf8"))) coloured.push(path);
  expect(paths.length).toBeGreaterThan(20);
  expect(coloured).toEqual([join("src", "ui", "theme", "matrix.css")]);
});
