import { fileURLToPath } from "node:url";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compress } from "./scripts/compress";

/** Where `npm run dev` finds a running gateway. */
const gateway = process.env.TOLLGATE_URL ?? "http://127.0.0.1:8787";

export default defineConfig({
  base: "/console/",
  plugins: [tanstackRouter({ target: "react", autoCodeSplitting: true }), react(), compress()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // The server puts a fresh nonce in this place of every page that it sends.
  html: { cspNonce: "TOLLGATE_NONCE" },
  build: {
    outDir: "../internal/console/dist",
    emptyOutDir: true,
    target: "es2022",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    assetsInlineLimit: 0, // data: addresses are refused by the content security policy
  },
  server: {
    proxy: Object.fromEntries(
      ["/admin", "/user", "/login", "/logout", "/auth", "/openapi.json", "/docs", "/healthz", "/version", "/v1", "/v1beta"].map(
        (path) => [path, { target: gateway, changeOrigin: true, headers: { origin: gateway } }],
      ),
    ),
  },
});
