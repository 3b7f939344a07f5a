import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Files smaller than this gain nothing worth a second file, in bytes. */
const worthIt = 1024;

/**
 * Puts a .br and a .gz beside each text file of the build, so that the server
 * only has to choose. index.html stays as it is: the server writes into it.
 */
export function compress(): Plugin {
  let folder = "";
  return {
    name: "tollgate-compress",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|svg|json)$/.test(name)) continue;
        const body = readFileSync(join(folder, name));
        if (body.length < worthIt) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(body, quality));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(body, { level: 9 }));
      }
    },
  };
}
