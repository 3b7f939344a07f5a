import type { Problem } from "./types";

/** Failure is a problem that the server told, as an error to throw. */
export class Failure extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title ?? "");
  }
}

/** problemOf makes a problem of whatever was thrown; null when the gateway could not be reached. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Failure) return error.problem;
  if (error instanceof TypeError) return null;
  if (error && typeof error === "object" && "status" in error) return error as Problem;
  return { detail: error instanceof Error ? error.message : String(error) };
}

/** statusOf is the HTTP status of what was thrown; 0 when there was no answer. */
export function statusOf(error: unknown): number {
  return problemOf(error)?.status ?? 0;
}

/** fieldsOf maps a problem to messages by form field; `body.` and indices in front are dropped. */
export function fieldsOf(problem: Problem): Record<string, string> {
  const found: Record<string, string> = {};
  if (problem.field) found[plainField(problem.field)] = problem.detail ?? "";
  for (const { location, message } of problem.errors ?? []) {
    if (location) found[plainField(location)] = message ?? "";
  }
  return found;
}

function plainField(location: string): string {
  return location.replace(/^body\.?/, "").replace(/^\[\d+\]\.?/, "");
}
