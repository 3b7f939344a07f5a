import { oneOf, text } from "@/shell/search";
import { type Dialect, dialects } from "./request";

/** PlaygroundSearch is what the address holds, to link to a model. */
export interface PlaygroundSearch {
  model?: string;
  dialect?: Dialect;
}

/** playgroundSearch reads it. */
export function playgroundSearch(search: Record<string, unknown>): PlaygroundSearch {
  return { model: text(search.model), dialect: oneOf(dialects, search.dialect) };
}
