import { useEffect, useState } from "react";
import { eventReader, textsOf } from "@/api/events";
import { guardedFetch } from "@/api/gate";
import type { RequestRow } from "@/api/types";
import type { RequestSearch, Scope } from "./search";

/** What a live list keeps in sight. */
const kept = 500;

export interface Live {
  /** Newest first; those that have not ended have status 0. */
  rows: RequestRow[];
  lost: number;
}

/** useLive watches requests begin and end while it is on. */
export function useLive(scope: Scope, { model, status, user }: RequestSearch, on: boolean): Live {
  const [live, setLive] = useState<Live>({ rows: [], lost: 0 });
  useEffect(() => {
    if (!on) {
      setLive({ rows: [], lost: 0 });
      return;
    }
    const stop = new AbortController();
    const body = {
      ...(model && { model }),
      ...(status && { status_class: status === "broken" ? 2 : Number(status) }),
      ...(scope === "admin" && user && { user_id: Number(user) }),
    };
    const take = (event: string, data: string) => {
      if (event === "new" || event === "update") {
        const row = JSON.parse(data) as RequestRow;
        if (status === "broken" && !row.error_class) return;
        setLive((now) => ({ ...now, rows: [row, ...now.rows.filter((r) => r.id !== row.id)].slice(0, kept) }));
      } else if (event === "lagged") {
        const { lost } = JSON.parse(data) as { lost: number };
        setLive((now) => ({ ...now, lost: now.lost + lost }));
      }
    };
    void follow(`/${scope}/requests/live`, body, stop.signal, take);
    return () => stop.abort();
  }, [scope, model, status, user, on]);
  return live;
}

/** follow reads a feed, and begins again when it breaks off. */
async function follow(path: string, body: object, signal: AbortSignal, take: (event: string, data: string) => void) {
  while (!signal.aborted) {
    try {
      const request = new Request(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal,
      });
      const response = await guardedFetch(request);
      if (!response.ok) return;
      const feed = eventReader(take);
      for await (const text of textsOf(response)) feed(text);
    } catch {
      // Broken off or ended by us; the loop decides.
    }
    if (!signal.aborted) await new Promise((wake) => setTimeout(wake, 2000));
  }
}
