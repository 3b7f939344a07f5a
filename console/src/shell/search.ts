// Readers of what an address says after "?". What makes no sense is left out
// rather than refused, so that an old link still opens its page.

/** text is any word. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

/** oneOf is one of the given words. */
export function oneOf<T extends string>(words: readonly T[], value: unknown): T | undefined {
  return words.find((word) => word === value);
}

/** sortOf is a sort by one of the given columns, "-" in front for descending. */
export function sortOf(columns: readonly string[], value: unknown): string | undefined {
  return typeof value === "string" && columns.includes(value.replace(/^-/, "")) ? value : undefined;
}
