import { createHash } from "node:crypto";
import postcss from "postcss";
import type { Plugin } from "vite";

/** A class of a Mantine component: its styles and its scripts name it alike. */
const hashed = /\bm_[0-9a-f]+\b/g;

/**
 * Takes the styles of components out that no script of the build mentions:
 * Mantine ships those of all its components in one sheet.
 */
export function trim(): Plugin {
  return {
    name: "tollgate-trim",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const files = Object.values(bundle);
      const used = new Set(files.flatMap((file) => (file.type === "chunk" ? (file.code.match(hashed) ?? []) : [])));
      const unused = (selector: string) =>
        (selector.replace(/:not\([^)]*\)/g, "").match(hashed) ?? []).some((name) => !used.has(name));
      for (const file of files) {
        if (file.type !== "asset" || !file.fileName.endsWith(".css")) continue;
        const sheet = postcss.parse(String(file.source));
        sheet.walkRules((rule) => {
          const kept = rule.selectors.filter((selector) => !unused(selector));
          if (kept.length === 0) rule.remove();
          else if (kept.length < rule.selectors.length) rule.selectors = kept;
        });
        sheet.walkAtRules((at) => {
          if (at.nodes?.length === 0) at.remove();
        });
        // Its name is for its content: browsers keep a file of a name for good.
        const source = sheet.toString();
        const digest = createHash("sha256").update(source).digest("base64url").slice(0, 8);
        const fileName = file.fileName.replace(/-[^-]+(\.css)$/, `-${digest}$1`);
        delete bundle[file.fileName];
        this.emitFile({ type: "asset", fileName, source });
        for (const page of files) {
          if (page.type !== "asset" || !page.fileName.endsWith(".html")) continue;
          page.source = String(page.source).replaceAll(file.fileName, fileName);
        }
      }
    },
  };
}
