/**
 * A Vite plugin that puts the texts of the registry where their keys stand (DSH-15): the first
 * argument of `text("…")`, and `%copy:…%` in index.html. So the bundle holds no keys, and of the
 * texts only those that are used. While developing, a change of the registry reloads the page.
 */

import { type ESTree, type Plugin, parseSync, type ResolvedConfig, Visitor } from "vite";
import { writeKeys } from "./keys.ts";
import { REGISTRY, readTexts, type Texts } from "./registry.ts";

const MODULE = "#copy/index.ts";
const ADDRESS_KEY = "landing.meta.og_url";
const ADDRESS_SETTING = "VITE_VIBESCORE_URL";

export function copy(): Plugin {
  let root: string;
  let registry: string;
  let address: string | undefined;
  return {
    name: "vibescore:copy",
    enforce: "pre", // while the lines are those of the source
    configResolved(config) {
      root = config.root;
      registry = `${root}/${REGISTRY}`;
      address = addressIn(config);
    },
    configureServer: () => writeKeys(root),
    hotUpdate({ file }) {
      if (file === registry) writeKeys(root);
    },
    transform: {
      filter: { id: /\.tsx?(\?|$)/, code: MODULE.slice(1) },
      handler(code, id) {
        this.addWatchFile(registry);
        return { code: withTexts(code, id.replace(/\?.*/, ""), readTexts(registry)), map: null };
      },
    },
    transformIndexHtml: {
      order: "pre",
      handler: (html) => withMeta(html, readTexts(registry), address),
    },
  };
}

/** The code with texts in the place of their keys; every line stays where it is. */
function withTexts(code: string, file: string, texts: Texts): string {
  let done = "";
  let from = 0;
  for (const { start, end, value } of keysIn(code, file)) {
    const text = texts.get(value);
    if (text === undefined) {
      throw new Error(`${at(file, code, start)}: no text has the key ${value}`);
    }
    done += code.slice(from, start) + JSON.stringify(text);
    from = end;
  }
  return done + code.slice(from);
}

/** What stands first in each call of `text`, in the order of the code. */
function keysIn(code: string, file: string): ESTree.StringLiteral[] {
  const keys: ESTree.StringLiteral[] = [];
  let imported = false;
  const visitor = new Visitor({
    ImportDeclaration(node) {
      if (!node.source.value.endsWith(MODULE.slice(1))) return;
      if (!isPlain(node)) {
        throw new Error(`${at(file, code, node.start)}: write import { text } from "${MODULE}"`);
      }
      imported = true;
    },
    CallExpression({ callee, arguments: [key], start }) {
      if (!imported || callee.type !== "Identifier" || callee.name !== "text") return;
      if (key?.type !== "Literal" || typeof key.value !== "string") {
        throw new Error(`${at(file, code, start)}: text() takes its key as a plain string`);
      }
      keys.push(key);
    },
  });
  visitor.visit(parseSync(file, code).program);
  return keys;
}

/** Whether an import goes by the names and the path that `dev.py copy check` looks for. */
function isPlain({ source, specifiers }: ESTree.ImportDeclaration): boolean {
  return source.value === MODULE && specifiers.every(keepsItsName);
}

function keepsItsName(its: ESTree.ImportDeclarationSpecifier): boolean {
  if (its.type !== "ImportSpecifier" || its.imported.type !== "Identifier") return false;
  return its.imported.name === its.local.name;
}

function at(file: string, code: string, position: number): string {
  return `${file}:${code.slice(0, position).split("\n").length}`;
}

/**
 * index.html with texts for `%copy:…%` (DSH-16). Those that begin with the address of the project
 * begin with `address` instead, when that is set.
 */
function withMeta(html: string, texts: Texts, address: string | undefined): string {
  const own = texts.get(ADDRESS_KEY);
  return html.replace(/%copy:(.*?)%/g, (_, key: string) => {
    const text = texts.get(key);
    if (text === undefined) throw new Error(`index.html: no text has the key ${key}`);
    const ours = address && own && `${text}/`.startsWith(`${own}/`);
    return escaped(ours ? address + text.slice(own.length) : text);
  });
}

function escaped(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}

/** Where the dashboard will stand, without a slash at its end; undefined: where the registry says. */
function addressIn({ env }: ResolvedConfig): string | undefined {
  const set: unknown = env[ADDRESS_SETTING];
  if (typeof set !== "string" || set === "") return undefined;
  if (/^https?:/.test(set) && URL.canParse(set)) return set.replace(/\/+$/, "");
  throw new Error(`${ADDRESS_SETTING} is "${set}": it has to be like https://usage.example.org`);
}
