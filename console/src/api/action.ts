import { notifications } from "@mantine/notifications";
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client } from "./client";
import { Failure, problemOf } from "./problem";
import type { Answer, Body, Path, Problem } from "./types";

interface Options {
  /** The beginnings of the paths whose answers this change makes old. */
  stale: string[];
  /** What to say when it is done; nothing when absent. */
  done?: string;
  /** Leaves failures to the caller (a form shows them itself). */
  quiet?: boolean;
}

type Post = (path: string, init: object) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

/** post sends one operation and throws a Failure when it is refused. */
export async function post<P extends Path>(path: P, body: Body<P>): Promise<Answer<P>> {
  const { data, error, response } = await (client.POST as unknown as Post)(path, { body });
  if (error !== undefined || !response.ok) throw new Failure((error ?? { status: response.status }) as Problem);
  return data as Answer<P>;
}

/** refresh reads again what is shown of the paths that begin so. */
export function refresh(queries: QueryClient, beginnings: string[]) {
  return queries.invalidateQueries({
    predicate: ({ queryKey }) => beginnings.some((b) => typeof queryKey[1] === "string" && queryKey[1].startsWith(b)),
  });
}

/** useAction is a change: sends it, refreshes what it made old, and says how it went. */
export function useAction<P extends Path>(path: P, { stale, done, quiet }: Options) {
  const queries = useQueryClient();
  const { t } = useTranslation("common");
  const close = { closeButtonProps: { "aria-label": t("close") } };
  return useMutation({
    mutationFn: (body: Body<P>) => post(path, body),
    onSuccess: async () => {
      if (done) notifications.show({ message: done, color: "pine", ...close });
      await refresh(queries, stale);
    },
    onError: (error) => {
      if (!quiet)
        notifications.show({ title: t("failed"), message: problemOf(error)?.detail ?? t("unreachable"), color: "red", ...close });
    },
  });
}
