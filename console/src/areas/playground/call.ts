import { useEffect, useRef, useState } from "react";
import { eventReader, textsOf } from "@/api/events";
import { guardedFetch } from "@/api/gate";
import { type Answer, noAnswer, take } from "./answer";
import { type Ask, wireOf } from "./request";

/** Call is one call with what has come of it so far. */
export interface Call {
  running: boolean;
  status: number;
  requestId: string;
  /** The headers that say something, a line each. */
  headers: string;
  raw: string;
  answer: Answer;
  /** What it failed with before there was an answer. */
  failure: unknown;
}

const begun: Call = { running: true, status: 0, requestId: "", headers: "", raw: "", answer: noAnswer, failure: null };

/** useCall sends asks, one at a time, and reads the answers as they come. */
export function useCall() {
  const [call, setCall] = useState<Call | null>(null);
  const control = useRef<AbortController>(undefined);
  useEffect(() => () => control.current?.abort(), []);
  const stop = () => control.current?.abort();
  const send = async (ask: Ask) => {
    stop();
    const own = new AbortController();
    control.current = own;
    const change = (part: Partial<Call>) => {
      if (control.current === own) setCall((now) => ({ ...(now ?? begun), ...part }));
    };
    setCall(begun);
    try {
      await follow(ask, own.signal, change);
    } catch (failure) {
      if (!own.signal.aborted) change({ failure });
    }
    change({ running: false });
  };
  return { call, send, stop };
}

async function follow(ask: Ask, signal: AbortSignal, change: (part: Partial<Call>) => void) {
  const { path, headers, body } = wireOf(ask);
  const request = new Request(`/user/playground${path}`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const response = await guardedFetch(request);
  change({
    status: response.status,
    requestId: response.headers.get("x-tollgate-request-id") ?? "",
    headers: [...response.headers]
      .filter(([name]) => telling.test(name))
      .map((pair) => pair.join(": "))
      .join("\n"),
  });
  const streamed = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  let answer = noAnswer;
  let raw = "";
  const read = eventReader((_, data) => {
    answer = take(ask.dialect, answer, data);
  });
  for await (const text of textsOf(response)) {
    raw += text;
    if (streamed) read(text);
    change({ raw, answer });
  }
  if (!streamed) answer = take(ask.dialect, answer, raw);
  change({ raw, answer });
}

const telling = /^(content-type|retry-after|x-tollgate-|x-ratelimit-|anthropic-ratelimit-|x-should-retry)/;
