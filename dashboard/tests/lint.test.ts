import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const IMPORT = "lint/style/noRestrictedImports";
const GLOBAL = "lint/style/noRestrictedGlobals";

/** What a layer must not know, by the way that code goes there. */
const REFUSED: [layer: string, code: string, rule: string][] = [
  ["data", 'import "preact";', IMPORT],
  ["data", 'import "preact/hooks";', IMPORT],
  ["data", 'import "uplot";', IMPORT],
  ["data", 'import "#api/live.ts";', IMPORT],
  ["data", 'import "../api/live.ts";', IMPORT],
  ["data", 'import "#ui/box.tsx";', IMPORT],
  ["data", 'import "#copy/index.ts";', IMPORT],
  ["data", 'import "#app/session.tsx";', IMPORT],
  ["data", 'import "node:fs";', IMPORT],
  ["data", "document.title = '';", GLOBAL],
  ["data", "localStorage.clear();", GLOBAL],
  ["data", "fetch('/');", GLOBAL],
  ["ui", 'import "#api/live.ts";', IMPORT],
  ["ui", 'import "../api/live.ts";', IMPORT],
  ["ui", 'await import("#api/live.ts");', IMPORT],
  ["ui", 'export * from "#api/live.ts";', IMPORT],
  ["ui", 'import "#app/session.tsx";', IMPORT],
  ["ui", 'import "#features/settings/page.tsx";', IMPORT],
  ["ui", 'import "../features/settings/page.tsx";', IMPORT],
  ["ui", 'import "#copy/index.ts";', IMPORT],
  ["ui", "fetch('/');", GLOBAL],
  ["ui", "window.fetch('/');", GLOBAL],
  ["ui", "new XMLHttpRequest();", GLOBAL],
  ["ui", "new EventSource('/');", GLOBAL],
  ["ui", "localStorage.clear();", GLOBAL],
  ["ui", "globalThis.localStorage.clear();", GLOBAL],
  ["ui", "sessionStorage.clear();", GLOBAL],
  ["ui", "indexedDB.open('');", GLOBAL],
  ["api", 'import "preact";', IMPORT],
  ["api", 'import "#ui/box.tsx";', IMPORT],
  ["api", 'import "#app/session.tsx";', IMPORT],
  ["api", 'import "#copy/index.ts";', IMPORT],
  ["api", 'import "../features/settings/page.tsx";', IMPORT],
  ["copy", 'import "#data/days.ts";', IMPORT],
  ["app", 'import "#features/settings/page.tsx";', IMPORT],
  ["app", 'import "../features/settings/page.tsx";', IMPORT],
  ["app", "fetch('/');", GLOBAL],
  ["app", "localStorage.clear();", GLOBAL],
  ["features/overview", 'import "#features/settings/page.tsx";', IMPORT],
  ["features/overview", 'import "../settings/page.tsx";', IMPORT],
  ["features/overview", 'await import("../settings/page.tsx");', IMPORT],
  ["features/overview", "fetch('/');", GLOBAL],
  ["features/overview", "localStorage.clear();", GLOBAL],
];

const ALLOWED: [layer: string, code: string][] = [
  ["data", 'import "#data/days.ts";'],
  ["api", 'import "#data/days.ts";'],
  ["api", "fetch('/');"],
  ["api", "localStorage.clear();"],
  ["ui", 'import "preact/hooks";'],
  ["ui", 'import "./box.tsx";'],
  ["ui", 'import "#data/days.ts";'],
  ["app", 'import "#api/live.ts";'],
  ["app", 'import "#ui/box.tsx";'],
  ["features/overview", 'import "./core.tsx";'],
  ["features/overview", 'import "#api/errors.ts";'],
  ["features/overview", 'import "#app/session.tsx";'],
  ["features/overview", 'import "#copy/index.ts";'],
];

const CASES = [...REFUSED, ...ALLOWED];

describe("the linter", () => {
  let found = new Map<string, string[]>();
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lint-"));
    await copyFile("biome.json", join(folder, "biome.json"));
    for (const [index, [layer, code]] of CASES.entries()) {
      const file = join(folder, "src", fileOf(index, layer));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `${code}\n`);
    }
    found = await lint(folder);
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each(REFUSED.map((its, index) => [...its, index] as const))(
    "[DSH-02] refuses in %s: %s",
    (layer, _, rule, index) => {
      expect(found.get(fileOf(index, layer))).toEqual([rule]);
    },
  );

  it.each(ALLOWED.map((its, index) => [...its, REFUSED.length + index] as const))(
    "[DSH-02] allows in %s: %s",
    (layer, _, index) => {
      expect(found.get(fileOf(index, layer))).toBeUndefined();
    },
  );
});

function fileOf(index: number, layer: string): string {
  return `${layer}/case-${index}.ts`;
}

interface Finding {
  category: string;
  location: { path: string };
}

/** The rules that files break, by their paths below `src`. */
async function lint(folder: string): Promise<Map<string, string[]>> {
  const biome = join(process.cwd(), "node_modules/@biomejs/biome/bin/biome");
  const words = ["lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none", "src"];
  const said = await new Promise<string>((done) => {
    execFile(process.execPath, [biome, ...words], { cwd: folder }, (_, output) => done(output));
  });
  const { diagnostics } = JSON.parse(said) as { diagnostics: Finding[] };
  const found = new Map<string, string[]>();
  for (const { category, location } of diagnostics) {
    const file = location.path.replace(/^.*?src\//, "");
    found.set(file, [...(found.get(file) ?? []), category]);
  }
  return found;
}
