import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compressAll } from "../../build/precompress.ts";

const TEXT = "the same words again and again, ".repeat(50);

describe("precompress", () => {
  let folder = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "precompress-"));
    await mkdir(join(folder, "assets"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, content = TEXT) => writeFile(join(folder, name), content);

  it("puts what a text compresses to beside it, in every folder", async () => {
    await write("index.html");
    await write("assets/main.js");
    await compressAll(folder);

    for (const name of ["index.html", "assets/main.js"]) {
      const inBrotli = await readFile(join(folder, `${name}.br`));
      const inGzip = await readFile(join(folder, `${name}.gz`));
      expect(brotliDecompressSync(inBrotli).toString()).toBe(TEXT);
      expect(gunzipSync(inGzip).toString()).toBe(TEXT);
      expect(inBrotli.length).toBeLessThan(inGzip.length);
    }
  });

  it("gives the same bytes for the same text", async () => {
    await write("a.css");
    await write("b.css");
    await compressAll(folder);

    for (const form of ["br", "gz"]) {
      const first = await readFile(join(folder, `a.css.${form}`));
      expect(first.equals(await readFile(join(folder, `b.css.${form}`)))).toBe(true);
    }
  });

  it.each(["font.woff2", "card.png"])("leaves %s, which is compressed already", async (name) => {
    await write(name);
    await compressAll(folder);
    expect(await readdir(folder)).toEqual(["assets", name].sort());
  });

  it("keeps nothing that compressing made larger", async () => {
    await write("robots.txt", "a");
    await compressAll(folder);
    expect(await readdir(folder)).toEqual(["assets", "robots.txt"]);
  });
});
