// The palette and the help sheet are opened from many places; these say so to
// whoever shows them.

type Name = "palette" | "help";

const listeners = new Map<Name, Set<() => void>>();

function tell(name: Name) {
  for (const listener of listeners.get(name) ?? []) listener();
}

/** whenOpened calls back until the returned function is called. */
export function whenOpened(name: Name, listener: () => void): () => void {
  const all = listeners.get(name) ?? new Set();
  listeners.set(name, all.add(listener));
  return () => void all.delete(listener);
}

export const openPalette = () => tell("palette");
export const openHelp = () => tell("help");
