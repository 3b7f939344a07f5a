import type { components, paths } from "./schema";

/**
 * Complete says that every field is there. The document leaves fields of
 * records optional, but the server always sends them.
 */
export type Complete<T> = T extends (infer U)[] ? Complete<U>[] : T extends object ? { [K in keyof T]-?: Complete<T[K]> } : T;

type Schemas = components["schemas"];
/** Schema is a record as the server answers it: `Schema<"User">`. */
export type Schema<Name extends keyof Schemas> = Complete<Schemas[Name]>;

export type Problem = Schemas["Problem"];
export type User = Schema<"User">;
export type Me = Schema<"OwnMe">;
export type Key = Schema<"Key">;
/** In a quota, null means unlimited; ids are there when the scope has one. */
export type Quota = Omit<Schema<"Quota">, "quota" | "remaining"> & { quota: number | null; remaining: number | null };
export type UsageSum = Schema<"Sum">;
export type RequestRow = Schema<"Request">;

/** Path is any operation; all are POST with a JSON body. */
export type Path = keyof paths;
export type Body<P extends Path> = paths[P]["post"] extends { requestBody?: { content: { "application/json": infer B } } }
  ? B
  : never;
export type Answer<P extends Path> = paths[P]["post"] extends { responses: { 200: { content: { "application/json": infer A } } } }
  ? Complete<NonNullable<A>>
  : never;

/** ListPath is an operation that answers rows, a page at a time. */
export type ListPath = {
  [P in Path]: P extends `${string}/${"query" | "history"}` ? (Answer<P> extends readonly unknown[] ? P : never) : never;
}[Path];
export type Row<P extends ListPath> = Answer<P> extends (infer R)[] ? R : never;
