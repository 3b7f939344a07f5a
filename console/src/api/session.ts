import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { plainClient } from "./client";
import { plainFetch } from "./gate";
import { type Asked, showPasskey } from "./passkey";
import { Failure } from "./problem";
import type { Me, Problem } from "./types";

declare global {
  interface Window {
    /** The answer to /user/me that early.js has asked for. */
    tollgateMe?: Promise<Response>;
  }
}

/** askMe is plainFetch, but for the first time, when the answer may be on its way already. */
function askMe(request: Request): Promise<Response> {
  const early = window.tollgateMe;
  delete window.tollgateMe;
  return early ? early.catch(() => plainFetch(request)) : plainFetch(request);
}

/** meQuery is who is signed in; a Failure with status 401 when nobody is. */
export const meQuery = queryOptions({
  queryKey: ["post", "/user/me"],
  queryFn: async ({ signal }): Promise<Me> => {
    const { data, error, response } = await plainClient.POST("/user/me", { body: {}, signal, fetch: askMe });
    if (!data) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
    return data as Me;
  },
  staleTime: 60_000,
  retry: false,
});

/** useMe is who is signed in, on pages behind the sign-in. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** signIn sets the session cookie. */
export async function signIn(username: string, password: string) {
  const { data, error, response } = await plainClient.POST("/login", { body: { username, password } });
  if (!data) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
  return data;
}

/** secondFactor goes on with a sign-in that has shown its password. */
export async function secondFactor(proof: { login_token: string; code?: string; credential?: unknown }) {
  const { data, error, response } = await plainClient.POST("/login/second-factor", { body: proof });
  if (!data) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
  return data;
}

/** pendingFactor is what a sign-in through a provider still needs; the browser holds it as a cookie. */
export async function pendingFactor(): Promise<Problem> {
  const response = await plainFetch("/login/pending");
  const problem = (await response.json()) as Problem;
  if (!problem.login_token) throw new Failure({ ...problem, status: response.status });
  return problem;
}

/** signInWithPasskey signs in with a passkey alone. */
export async function signInWithPasskey() {
  const begun = await plainClient.POST("/auth/passkey/begin", { body: {} });
  if (!begun.data) throw new Failure({ status: begun.response.status, ...(begun.error as Problem | undefined) });
  const asked = begun.data as unknown as Asked;
  const credential = await showPasskey(asked);
  const { data, error, response } = await plainClient.POST("/auth/passkey/finish", { body: { token: asked.token, credential } });
  if (!data) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
  return data;
}

/** stepUp proves anew who one is, for what needs a recent sign-in. */
export async function stepUp(proof: { password: string; code?: string }) {
  const { data, error, response } = await plainClient.POST("/user/step-up", { body: proof });
  if (!data) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
}

/** stepUpWithPasskey does so with a passkey alone. */
export async function stepUpWithPasskey() {
  const begun = await plainClient.POST("/user/step-up/begin", { body: {} });
  if (!begun.data) throw new Failure({ status: begun.response.status, ...(begun.error as Problem | undefined) });
  const asked = begun.data as unknown as Asked;
  const credential = await showPasskey(asked);
  const { data, error, response } = await plainClient.POST("/user/step-up", { body: { token: asked.token, credential } });
  if (!data) throw new Failure({ status: response.status, ...(error as Problem | undefined) });
}

/** signOut ends the session and leaves the page with all that it remembers. */
export async function signOut() {
  await plainClient.POST("/logout", { body: {} });
  window.location.assign("/console/sign-in");
}

export interface SignInProvider {
  name: string;
  title: string;
}

export interface WaysIn {
  /** The gateway's own ways are the super admin's alone. */
  ssoOnly: boolean;
  providers: SignInProvider[];
}

/** waysQuery says how one may sign in; none but the gateway's own where it has no such route. */
export const waysQuery = queryOptions({
  queryKey: ["get", "/auth/providers"],
  queryFn: async ({ signal }): Promise<WaysIn> => {
    const response = await fetch("/auth/providers", { signal });
    if (response.status !== 200) return { ssoOnly: false, providers: [] };
    const { sso_only, providers = [] } = (await response.json()) as { sso_only?: boolean; providers?: unknown[] };
    return { ssoOnly: sso_only === true, providers: providers.flatMap(providerOf) };
  },
  staleTime: 10_000,
  retry: false,
});

function providerOf(entry: unknown): SignInProvider[] {
  const { name, title, display_name } = entry as Record<string, unknown>;
  if (typeof name !== "string") return [];
  const shown = [title, display_name].find((text) => typeof text === "string" && text !== "");
  return [{ name, title: typeof shown === "string" ? shown : name }];
}
