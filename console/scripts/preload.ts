import type { Plugin, Rolldown } from "vite";

/** What a page needs beside the entry, in the order of the paths' specificity. */
interface Preload {
  /** The page's path below /console/, with $NAME for a part that varies. */
  path: string;
  /** Whether one must be signed in to see it. */
  signedIn: boolean;
  /** Names of files, by language. */
  files: Record<string, string[]>;
}

const languages = ["en", "zh"];

/**
 * Writes preload.json: which files each page needs, its texts among them, so
 * that the server can name them all in the page that it sends. A browser would
 * learn of them one after the other, and each costs a round trip.
 */
export function preload(): Plugin {
  return {
    name: "tollgate-preload",
    apply: "build",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const info = (id: string) => this.getModuleInfo(id);
      const pages = chunks.flatMap((chunk) => chunk.moduleIds.flatMap((id) => routeOf(id) ?? []));
      const source = JSON.stringify(
        pages
          .filter(isPage)
          .sort()
          .map((route): Preload => {
            const entry = entryOf(chunks);
            const parts = chunks.flatMap((chunk) => chunk.moduleIds.filter((id) => partsOf(route).includes(routeOf(id) ?? "")));
            const holders = chunks.filter((chunk) => chunk.moduleIds.some((id) => parts.includes(id)));
            const needed = closure([entry, ...holders], (chunk) => chunk.imports.map((name) => named(chunks, name)));
            const modules = closure([...entry.moduleIds, ...parts], (id) => [...(info(id)?.importedIds ?? [])]);
            const names = modules.flatMap((id) => namespacesIn(info(id)?.code ?? ""));
            const texts = (language: string) =>
              [...new Set(["common", ...names])].flatMap((name) => textsOf(chunks, name, language) ?? []).sort();
            const files = needed.filter((chunk) => !chunk.isEntry).map((chunk) => chunk.fileName);
            return {
              path: pathOf(route),
              signedIn: route.startsWith("_app"),
              files: Object.fromEntries(languages.map((language) => [language, [...files, ...texts(language)]])),
            };
          }),
      );
      this.emitFile({ type: "asset", fileName: "preload.json", source });
    },
  };
}

type Chunk = Rolldown.OutputChunk;

/** routeOf is the name of the route file whose page a module is, as "_app/admin/users/index". */
function routeOf(id: string): string | undefined {
  return /\/src\/routes\/(.+)\.tsx\?tsr-split=component$/.exec(id)?.[1];
}

/** isPage reports whether a route is a page of its own, and no frame around others, nor for what is not there. */
function isPage(route: string): boolean {
  return !/(^|[/])(_[^/]*|route|[$])$/.test(route);
}

/** pathOf is where a route's page is found. */
function pathOf(route: string): string {
  return route
    .split("/")
    .filter((part) => !part.startsWith("_") && part !== "index" && part !== "route")
    .join("/");
}

/** partsOf are the routes around a route and itself, outermost first. */
function partsOf(route: string): string[] {
  const folders = route.split("/");
  const around = folders.slice(0, -1).flatMap((_, i) => {
    const folder = folders.slice(0, i + 1).join("/");
    return [folder, `${folder}/route`];
  });
  return [...around, route];
}

function entryOf(chunks: Chunk[]): Chunk {
  const entry = chunks.find((chunk) => chunk.isEntry);
  if (!entry) throw new Error("the build has no entry");
  return entry;
}

function named(chunks: Chunk[], name: string): Chunk {
  const chunk = chunks.find((one) => one.fileName === name);
  if (!chunk) throw new Error(`there is no ${name}`);
  return chunk;
}

/** closure are things with everything that they import. */
function closure<T>(from: T[], imports: (of: T) => T[]): T[] {
  const found = new Set<T>();
  const add = (one: T) => {
    if (found.has(one)) return;
    found.add(one);
    imports(one).forEach(add);
  };
  from.forEach(add);
  return [...found];
}

/** namespacesIn are the areas whose texts a module's source asks for. */
function namespacesIn(source: string): string[] {
  return [...source.matchAll(/useTranslation\(\s*"([^"]+)"/g)].map((match) => match[1] as string);
}

function textsOf(chunks: Chunk[], namespace: string, language: string): string | undefined {
  const file = namespace === "common" ? `/i18n/locales/${language}.json` : `/areas/${namespace}/${language}.json`;
  return chunks.find((chunk) => chunk.facadeModuleId?.endsWith(file))?.fileName;
}
