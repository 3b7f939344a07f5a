import { useSyncExternalStore } from "react";

// What stands between a request and its answer: a session that has ended, a
// step-up, a lost network. The request waits here while a dialog over the page
// asks the person, so that no form is lost, and is sent again afterwards.

export type Challenge = "sign-in" | "step-up";

interface State {
  challenge: Challenge | null;
  offline: boolean;
}

let state: State = { challenge: null, offline: false };
let waiting: { promise: Promise<boolean>; settle: (passed: boolean) => void } | null = null;
const listeners = new Set<() => void>();

function change(next: Partial<State>) {
  state = { ...state, ...next };
  for (const tell of listeners) tell();
}

/** useGate is what the dialogs and the banner show. */
export function useGate(): State {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => state,
  );
}

/** answerChallenge lets the waiting requests go on (passed) or fail. */
export function answerChallenge(passed: boolean) {
  const settled = waiting;
  waiting = null;
  change({ challenge: null });
  settled?.settle(passed);
}

function ask(challenge: Challenge): Promise<boolean> {
  if (!waiting) {
    let settle: (passed: boolean) => void = () => {};
    const promise = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    waiting = { promise, settle };
    change({ challenge });
  }
  return waiting.promise;
}

async function challengeOf(response: Response): Promise<Challenge | null> {
  if (response.status === 401) return "sign-in";
  if (response.status !== 403) return null;
  const problem = await response
    .clone()
    .json()
    .catch(() => null);
  return problem?.reason === "recent_sign_in" ? "step-up" : null;
}

/** plainFetch only notices whether the gateway can be reached. */
export async function plainFetch(request: Request | string, init?: RequestInit): Promise<Response> {
  try {
    const response = await fetch(request, init);
    if (state.offline) change({ offline: false });
    return response;
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) change({ offline: true });
    throw error;
  }
}

/** onForbidden is told of a 403: the role may have changed while the page is open. */
let forbidden = () => {};
export function onForbidden(tell: () => void) {
  forbidden = tell;
}

/** guardedFetch asks for what the answer says is missing and sends the request again. */
export async function guardedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await plainFetch(request);
  const challenge = await challengeOf(response);
  if (challenge && (await ask(challenge))) return guardedFetch(again);
  if (response.status === 403) forbidden();
  return response;
}
