import { type Browser, type Page, request } from "@playwright/test";
import { admin, api, type Caller, expect } from "../support";

/** What scripts/test-sso.sh says of the servers that it started. */
const { TOLLGATE_URL = "", SSO_SECRET = "", SSO_PASSWORD = "", DEX_URL = "", NPM_URL = "", GITHUB_URL = "" } = process.env;

/** Provider is one real provider with the way through its pages. */
export interface Provider {
  name: string;
  title: string;
  settings: object;
  /** logIn fills in its login form. */
  logIn(page: Page, who: string): Promise<void>;
  /** consent is the button that lets the gateway know who one is. */
  consent: string;
  /** refuse is the way out that its consent page offers. */
  refuse(page: Page): Promise<void>;
  /** refused is what one then reads, and where. */
  refused: { at: string; text: string };
}

export const dex: Provider = {
  name: "dex",
  title: "Corp login",
  settings: { kind: "oidc", issuer: `${DEX_URL}/dex`, scopes: ["groups"] },
  async logIn(page, who) {
    await page.getByLabel("Email Address").fill(`${who}@example.com`);
    await page.getByLabel("Password").fill(SSO_PASSWORD);
    await page.getByRole("button", { name: "Login" }).click();
  },
  consent: "Grant Access",
  refuse: (page) => page.getByRole("button", { name: "Cancel" }).click(),
  refused: { at: DEX_URL, text: "Approval rejected" }, // Dex sends nobody back
};

export const npm: Provider = {
  name: "npm",
  title: "Certified",
  settings: { kind: "oidc", issuer: NPM_URL, scopes: ["groups"] },
  async logIn(page, who) {
    await page.getByPlaceholder("Enter any login").fill(who);
    await page.getByPlaceholder("and password").fill(SSO_PASSWORD);
    await page.getByRole("button", { name: "Sign-in" }).click();
  },
  consent: "Continue",
  refuse: (page) => page.getByRole("link", { name: "Cancel" }).click(),
  refused: { at: TOLLGATE_URL, text: "access_denied" },
};

export const github: Provider = {
  name: "github",
  title: "GitHub",
  settings: { kind: "github", issuer: GITHUB_URL },
  async logIn(page, who) {
    await page.getByLabel("Username or email address").fill(who);
    await page.getByLabel("Password").fill(SSO_PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
  },
  consent: "Authorize",
  refuse: (page) => page.getByRole("button", { name: "Cancel" }).click(),
  refused: { at: TOLLGATE_URL, text: "access_denied" },
};

/** someone is a page of a browser of its own. */
export async function someone(browser: Browser): Promise<Page> {
  return (await browser.newContext({ baseURL: TOLLGATE_URL, locale: "en-US" })).newPage();
}

/** theAdmin is the super admin, signed in with the password, without a browser. */
export async function theAdmin(): Promise<Caller> {
  const caller = { request: await request.newContext({ baseURL: TOLLGATE_URL }) };
  await api(caller, "/login", { username: admin.name, password: admin.password });
  return caller;
}

export interface User {
  id: number;
  name: string;
  enabled: boolean;
  is_admin: boolean;
}

export const me = (page: Page): Promise<User> => api(page, "/user/me", {});

/** save adds the provider, or changes what more says. */
export async function save(boss: Caller, { name, title, settings }: Provider, more: object = {}) {
  const known: { id: number; name: string }[] = await api(boss, "/admin/sso-providers/query", {});
  const id = known.find((p) => p.name === name)?.id;
  const fresh = { name, display_name: title, client_id: "tollgate", client_secret: SSO_SECRET, ...settings };
  await api(boss, "/admin/sso-providers/upsert", { ...(id ? { id } : fresh), ...more });
}

/** open begins at the console's sign-in page, and logs in at the provider. */
export async function open(page: Page, provider: Provider, who: string) {
  await page.goto("/console/sign-in");
  await page.getByRole("link", { name: `Continue with ${provider.title}` }).click();
  await provider.logIn(page, who);
}

/** agree consents if the provider asks, and ends on a page of the console. */
export async function agree(page: Page, { consent }: Provider) {
  const button = page.getByRole("button", { name: consent, exact: true });
  const back = page.waitForURL((url) => url.href.startsWith(`${TOLLGATE_URL}/console`));
  if (await Promise.race([button.waitFor().then(() => true), back.then(() => false)])) await button.click();
  await back;
}

/** enter signs somebody in through the provider, in a browser of their own. */
export async function enter(browser: Browser, provider: Provider, who: string): Promise<Page> {
  const page = await someone(browser);
  await open(page, provider, who);
  await agree(page, provider);
  return page;
}

/** enterAgain does so in a browser that has forgotten who used it. */
export async function enterAgain(page: Page, provider: Provider, who: string) {
  await page.context().clearCookies();
  await open(page, provider, who);
  await agree(page, provider);
}

export const welcome = (page: Page, name: string) =>
  expect(page.getByRole("heading", { level: 1, name: `Welcome, ${name}` })).toBeVisible();

/** outside is the sign-in page with what the gateway says of a sign-in that did not come about. */
export async function outside(page: Page, text: string | RegExp) {
  await expect(page.getByRole("heading", { level: 1, name: "Sign in", exact: true })).toBeVisible();
  await expect(page.getByRole("alert")).toContainText(text);
  expect((await page.request.post("/user/me", { data: {} })).status()).toBe(401);
}

/** drive makes the GitHub look-alike do something. */
export async function drive({ request }: Caller, form: Record<string, string>) {
  expect((await request.post(`${GITHUB_URL}/look-alike`, { form })).status()).toBe(200);
}
