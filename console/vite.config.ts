import { fileURLToPath } from "node:url";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compress } from "./scripts/compress";
import { preload } from "./scripts/preload";
import { trim } from "./scripts/trim";

/** Where `npm run dev` finds a running gateway. */
const gateway = process.env.TOLLGATE_URL ?? "http://127.0.0.1:8787";

/** shared are modules that may share a chunk with others; what draws charts comes after the rest of a page. */
const shared = (id: string) => !/recharts|d3-|victory|[/]charts?[/]/.test(id);

export default defineConfig({
  base: "/console/",
  plugins: [tanstackRouter({ target: "react", autoCodeSplitting: true }), react(), trim(), preload(), compress()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // The server puts a fresh nonce in this place of every page that it sends.
  html: { cspNonce: "TOLLGATE_NONCE" },
  build: {
    outDir: "../internal/console/dist",
    emptyOutDir: true,
    cssCodeSplit: false, // all of it is little more than the first page's
    target: "es2022",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    assetsInlineLimit: 0, // data: addresses are refused by the content security policy
    // What pages share goes into a few chunks: a browser asks for six files at a
    // time, and on a slow line each round costs more than some bytes too many.
    rolldownOptions: {
      output: {
        chunkFileNames: ({ name }) => `assets/${name.replace(/~.*/, "")}-[hash].js`,
        codeSplitting: {
          groups: [
            { name: "base", tags: ["$initial"], priority: 4 },
            { name: "icons", test: /@tabler/, priority: 3 },
            { name: "parts", test: (id) => id.includes("node_modules") && shared(id), minShareCount: 2, priority: 2 },
            { name: "shared", test: shared, minShareCount: 2, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/admin", "/user", "/login", "/logout", "/auth", "/openapi.json", "/docs", "/healthz", "/version", "/v1", "/v1beta"].map(
        (path) => [path, { target: gateway, changeOrigin: true, headers: { origin: gateway } }],
      ),
    ),
  },
});
