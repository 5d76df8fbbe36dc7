import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build, createServer, type InlineConfig, type Rolldown, type ViteDevServer } from "vite";
import { expect, it, onTestFinished, vi } from "vitest";
import { copy } from "../build/copy.ts";
import { writeKeys } from "../build/keys.ts";
import { textsOf } from "../build/registry.ts";

vi.setConfig({ testTimeout: 30_000 }); // real builds, on whatever machine

const DASHBOARD = resolve(import.meta.dirname, "..");
const HEADER = "key,module,page,component,slot,text,notes,status\n";
const HELLO = "a.b.hello,m,a,b,hello,Good morning,,active\n";
const VISIT = 'a.b.visit,m,a,b,visit,"{name} came {times} times, {name}!",,active\n';
const IMPORT = 'import { text } from "#copy/index.ts";\n';

/** A dashboard of one module with this registry; its folder is gone after the test. */
function project(rows: string, module: string, html = ""): string {
  const root = mkdtempSync(join(tmpdir(), "vibescore-copy-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const own of ["package.json", "tsconfig.json", "src/copy/index.ts"]) {
    cpSync(join(DASHBOARD, own), join(root, own));
  }
  symlinkSync(join(DASHBOARD, "node_modules"), join(root, "node_modules"));
  mkdirSync(join(root, "src/content"));
  writeRegistry(root, rows);
  writeFileSync(join(root, "src/main.ts"), module);
  writeFileSync(
    join(root, "index.html"),
    `${html}<script type="module" src="/src/main.ts"></script>`,
  );
  return root;
}

function writeRegistry(root: string, rows: string): void {
  writeFileSync(join(root, "src/content/copy.csv"), HEADER + rows);
}

function configOf(root: string): InlineConfig {
  return { root, configFile: false, logLevel: "silent", plugins: [copy()] };
}

/** The built files by the ends of their names: html, js. */
async function built(root: string): Promise<{ html: string; js: string }> {
  const { output } = (await build({
    ...configOf(root),
    build: { write: false },
  })) as Rolldown.RolldownOutput;
  const page = output.find((file) => file.type === "asset" && file.fileName === "index.html");
  const script = output.find((file) => file.type === "chunk");
  return {
    html: page?.type === "asset" ? String(page.source) : "",
    js: script?.type === "chunk" ? script.code : "",
  };
}

async function served(root: string): Promise<ViteDevServer> {
  const server = await createServer({
    ...configOf(root),
    server: { host: "127.0.0.1", port: 0 },
  });
  onTestFinished(() => server.close());
  return server;
}

it("[DSH-15] builds texts in, and neither their keys nor what no page shows", async () => {
  const unused = "a.b.unused,m,a,b,unused,Nobody says this,,active\n";
  const { js } = await built(
    project(HELLO + unused, `${IMPORT}document.title = text("a.b.hello");`),
  );
  expect(js).toContain("Good morning");
  expect(js).not.toContain("a.b.hello");
  expect(js).not.toContain("Nobody says this");
});

it("[DSH-15] shows another text when its cell changes, no module edited", async () => {
  const root = project(HELLO, `${IMPORT}document.title = text("a.b.hello");`, "%copy:a.b.hello%");
  writeRegistry(root, HELLO.replace("morning", "evening"));
  const { html, js } = await built(root);
  expect(html).toContain("Good evening");
  expect(js).toContain("Good evening");
});

it("puts values in the place of their names", async () => {
  const said = 'export const said = text("a.b.visit", { name: "Ada $&", times: 2 });';
  const server = await served(project(VISIT, IMPORT + said));
  const module = await server.ssrLoadModule("/src/main.ts");
  expect(module.said).toBe("Ada $& came 2 times, Ada $&!");
});

it("finds a key behind signs of any width and within other calls", async () => {
  const said = `export const said = ["😀 ä", text("a.b.visit", { name: text("a.b.hello"), times: 1 })];`;
  const server = await served(project(HELLO + VISIT, IMPORT + said));
  const module = await server.ssrLoadModule("/src/main.ts");
  expect(module.said).toEqual(["😀 ä", "Good morning came 1 times, Good morning!"]);
});

it.each([
  ["an unknown key", `${IMPORT}\ntext("a.b.gone");`, "main.ts:3: no text has the key a.b.gone"],
  ["a retired key", `${IMPORT}text("a.b.old");`, "main.ts:2: no text has the key a.b.old"],
  ["a computed key", `${IMPORT}text(["a.b.hello"][0]);`, "main.ts:2: text() takes its key as a"],
  [
    "another name",
    'import { text as t } from "#copy/index.ts";\nt("a.b.hello");',
    "main.ts:1: write",
  ],
  [
    "another path",
    'import { text } from "./copy/index.ts";\ntext("a.b.hello");',
    "main.ts:1: write",
  ],
  ["a namespace", 'import * as t from "#copy/index.ts";\nt.text("a.b.hello");', "main.ts:1: write"],
])("[DSH-15] builds no page with %s, and says where it stands", async (_, module, message) => {
  const root = project(`${HELLO}a.b.old,m,a,b,old,Old,,retired\n`, module);
  await expect(built(root)).rejects.toThrow(message);
});

it("[DSH-15] builds no page whose index.html asks for an unknown key", async () => {
  const root = project(HELLO, "", "%copy:a.b.gone%");
  await expect(built(root)).rejects.toThrow("index.html: no text has the key a.b.gone");
});

it.each([
  ["an unknown key", 'text("a.b.gone");', '"a.b.gone"'],
  ["a value that is missing", 'text("a.b.visit", { name: "Ada" });', "'times' is missing"],
  ["values that all are missing", 'text("a.b.visit");', "Expected 2 arguments"],
  ["a value too many", 'text("a.b.hello", { name: "Ada" });', "not assignable"],
  ["a list of keys", '(["a.b.hello"] as const).map(text);', "not assignable"],
])("[DSH-15] does not compile %s", (_, call, message) => {
  const root = project(HELLO + VISIT, `${IMPORT}${call}\n`);
  writeKeys(root);
  const compiled = compile(root);
  expect(compiled).toContain(message);
  expect(compiled).toContain("main.ts(2,");
});

it("[DSH-15] compiles a known key with its values", () => {
  const calls = 'text("a.b.hello");\ntext("a.b.visit", { name: "Ada", times: 2 });\n';
  const root = project(HELLO + VISIT, IMPORT + calls);
  writeKeys(root);
  expect(compile(root)).toBe("");
});

/** What the compiler says. */
function compile(root: string): string {
  const compiler = join(DASHBOARD, "node_modules/typescript/bin/tsc");
  return spawnSync(process.execPath, [compiler, "--noEmit"], { cwd: root, encoding: "utf8" })
    .stdout;
}

it("[DSH-15] shows a new text while one works on the page", async () => {
  const { root, shown, told } = await opened(HELLO, `${IMPORT}document.title = text("a.b.hello");`);
  expect(await shown()).toContain("Good morning");
  writeRegistry(root, HELLO.replace("morning", "evening") + VISIT);
  await told('"full-reload"');
  expect(await shown()).toContain("Good evening");
  expect(readFileSync(join(root, "src/copy/keys.d.ts"), "utf8")).toContain('"name" | "times"');
});

it("[DSH-15] shows on the page what is wrong with a row, and goes on", async () => {
  const { root, shown, told } = await opened(HELLO, `${IMPORT}document.title = text("a.b.hello");`);
  writeRegistry(root, `${HELLO}a.b.c,m\n`);
  expect(await told('"error"')).toContain("copy.csv: line 3 has 2 cells, not 8");
  writeRegistry(root, HELLO);
  expect(await shown()).toContain("Good morning");
});

/** A project with its page open, what module the page gets, and what the server tells it. */
async function opened(rows: string, module: string) {
  const root = project(rows, module);
  const server = await served(root);
  await server.listen();
  const address = server.resolvedUrls?.local[0] ?? "";
  const shown = async () => (await fetch(`${address}src/main.ts`)).text();
  await shown();
  const told = listen(`${address.replace("http", "ws")}?token=${server.config.webSocketToken}`);
  await told('"connected"');
  return { root, shown, told };
}

/** Asks for the first message that holds a word. */
function listen(address: string): (word: string) => Promise<string> {
  const heard: string[] = [];
  const page = new WebSocket(address, "vite-hmr");
  page.addEventListener("message", ({ data }) => heard.push(String(data)));
  onTestFinished(() => page.close());
  return async (word) => {
    for (;;) {
      const message = heard.find((its) => its.includes(word));
      if (message) return message;
      await new Promise((next) => page.addEventListener("message", next, { once: true }));
    }
  };
}

it.each([
  ["plain", "Hello", "Hello"],
  ["with a comma", '"Hello, you"', "Hello, you"],
  ["with quotes", '"Say ""hello"""', 'Say "hello"'],
  ["with a quote in its midst", 'a 5" screen', 'a 5" screen'],
  ["of two lines", '"Hello\nyou"', "Hello\nyou"],
  ["that is empty", "", ""],
])("[DSH-15] reads a text %s", (_, cell, text) => {
  const row = `a.b.c,m,a,b,c,${cell},,active`;
  for (const csv of [HEADER + row, `${HEADER + row}\n`, `\uFEFF${HEADER.trim()}\r\n${row}\r\n`]) {
    expect(textsOf(csv).get("a.b.c")).toBe(text);
  }
});

it.each([
  ["other columns", "key,text\n", "line 1 is not key,module,"],
  ["nothing", "", "line 1 is not key,module,"],
  ["a row cut short", `${HEADER}${HELLO}a.b.c,m\n`, "line 3 has 2 cells, not 8"],
  [
    "an open quote",
    `${HEADER}${HELLO}a.b.c,m,a,b,c,"Hello,,active\n`,
    "line 3: a quote is missing",
  ],
  ["a key twice", HEADER + HELLO + HELLO, "line 3: a.b.hello is there already"],
  [
    "a key twice, below a text of two lines",
    `${HEADER}x.y.z,m,x,y,z,"1\n2",,active\n${HELLO}${HELLO}`,
    "line 5:",
  ],
])("[DSH-15] refuses a registry with %s", (_, csv, message) => {
  expect(() => textsOf(csv)).toThrow(message);
});

const ADDRESS = `landing.meta.og_url,l,landing,meta,og_url,https://www.vibescore.space,,active
landing.meta.og_image,l,landing,meta,og_image,https://www.vibescore.space/og.png,,active
landing.meta.title,l,landing,meta,title,https://www.vibescore.spaces <are> "not" & ours,,active
`;
const HEAD =
  '<meta content="%copy:landing.meta.og_url%"><meta content="%copy:landing.meta.og_image%"><meta content="%copy:landing.meta.title%">';

it.each([
  ["", "https://www.vibescore.space"],
  ["VITE_VIBESCORE_URL=https://usage.example.org/", "https://usage.example.org"],
  ["VITE_VIBESCORE_URL=http://localhost:8490/tokens", "http://localhost:8490/tokens"],
])("[DSH-16] builds with %j for %s", async (setting, address) => {
  const root = project(ADDRESS, "", HEAD);
  writeFileSync(join(root, ".env"), setting);
  const { html } = await built(root);
  expect(html).toContain(`<meta content="${address}"><meta content="${address}/og.png">`);
  expect(html).toContain('"https://www.vibescore.spaces &lt;are&gt; &quot;not&quot; &amp; ours"');
});

it.each(["usage.example.org", "ftp://usage.example.org", "https://"])(
  "[DSH-16] does not build for the address %s",
  async (address) => {
    const root = project(ADDRESS, "", HEAD);
    writeFileSync(join(root, ".env"), `VITE_VIBESCORE_URL=${address}`);
    await expect(built(root)).rejects.toThrow(
      `VITE_VIBESCORE_URL is "${address}": it has to be like`,
    );
  },
);
