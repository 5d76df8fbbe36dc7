import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const TEXTS = new Set([".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest", ".xml"]);

const inBrotli = promisify(brotliCompress);
const inGzip = promisify(gzip);

/** Writes `name.br` and `name.gz` beside every text that was built, where that is smaller. */
export function precompress(): Plugin {
  let folder = "";
  return {
    name: "precompress",
    apply: "build",
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir);
    },
    async writeBundle() {
      await compressAll(folder);
    },
  };
}

/** The same for a folder and all folders in it. */
export async function compressAll(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = entries.filter((entry) => entry.isFile() && TEXTS.has(extname(entry.name)));
  await Promise.all(texts.map(({ parentPath, name }) => compress(join(parentPath, name))));
}

async function compress(path: string): Promise<void> {
  const text = await readFile(path);
  const quality = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  };
  await keepSmaller(`${path}.br`, text, await inBrotli(text, { params: quality }));
  await keepSmaller(`${path}.gz`, text, await inGzip(text, { level: 9 }));
}

async function keepSmaller(path: string, text: Buffer, compressed: Buffer): Promise<void> {
  if (compressed.length < text.length) await writeFile(path, compressed);
}
