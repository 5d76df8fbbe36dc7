import { defineConfig } from "vitest/config";
import { copy } from "./build/copy.ts";
import { precompress } from "./build/precompress.ts";

/** A running server, which keeps to see the Host that the browser named: its Origin has to fit. */
const server = {
  target: process.env.VIBESCORE_DASHBOARD_SERVER ?? "http://127.0.0.1:8390",
  changeOrigin: false,
};

const serving = {
  port: 5173,
  strictPort: true,
  proxy: { "/api/": server, "/functions/": server, "/healthz": server },
};

export default defineConfig({
  plugins: [copy(), precompress()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { assetsInlineLimit: 0, cssCodeSplit: false, modulePreload: { polyfill: false } },
  server: serving,
  preview: serving,
  test: { environment: "node", include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"] },
});
