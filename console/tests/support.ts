import { createHmac } from "node:crypto";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { Gateway } from "./gateway";

/** The gateway's first admin, as scripts/test-console.sh starts it. */
export const admin = { name: "admin", password: process.env.TOLLGATE_PASSWORD ?? "" };

/** Every test fails on a script error, a refused style or script, or a dialog that a page opens. */
export const test = base.extend<{ page: Page }>({
  page: async ({ page }, use) => {
    const found: string[] = [];
    page.on("pageerror", (error) => found.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy/i.test(message.text())) found.push(message.text());
    });
    page.on("dialog", (dialog) => {
      if (dialog.type() !== "beforeunload") found.push(`dialog: ${dialog.message()}`);
      void dialog.accept();
    });
    await use(page);
    expect(found).toEqual([]);
  },
});

/** testOn is test with a gateway of each test's own, for what would get into the way of others. */
export function testOn(toml: string) {
  return test.extend<{ gateway: Gateway }>({
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs
    gateway: async ({}, use) => {
      const gateway = await Gateway.begin(toml, { TOLLGATE_ADMIN_PASSWORD: toml.includes("bootstrap") ? "" : admin.password });
      await use(gateway);
      await gateway.end();
    },
    baseURL: async ({ gateway }, use) => use(gateway.url),
  });
}

/** newestRow is the first row of the list that a page shows. */
export function newestRow(page: Page): Locator {
  return page.locator('tbody tr[data-index="0"]');
}

export async function signIn(page: Page, name = admin.name, password = admin.password) {
  await page.goto("/console/sign-in");
  await page.getByLabel("User name").fill(name);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Welcome, ${name}` })).toBeVisible();
}

/** expectAccessible fails on every finding of axe that is serious or worse. */
export async function expectAccessible(page: Page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`)).toEqual([]);
}

/** call sends one chat completion to the demo provider and returns its status. */
export async function call(page: Page, key: string): Promise<number> {
  const answer = await page.request.post("/v1/chat/completions", {
    headers: { authorization: `Bearer ${key}` },
    data: { model: "demo-small", messages: [{ role: "user", content: "Hello!" }] },
  });
  return answer.status();
}

/** spend makes a few calls in the name of who is signed in, so that pages have figures to show. */
export async function spend(page: Page) {
  const made = await page.request.post("/user/keys/generate", { data: { label: "notebook" } });
  const { api_key } = await made.json();
  for (let i = 0; i < 3; i++) expect(await call(page, api_key)).toBe(200);
}

/** admit lets a user call every model, as an admin does. */
export async function admit(page: Page, userId: number) {
  const answer = await page.request.post("/admin/user-permissions/upsert", { data: { user_id: userId, model_pattern: "*" } });
  expect(answer.status()).toBe(200);
}

/** Caller is a page, or somebody without a browser. */
export type Caller = Pick<Page, "request">;

/** api sends one operation in the name of who is signed in, and insists that it is taken. */
export async function api(page: Caller, path: string, data: object) {
  const answer = await page.request.post(path, { data });
  expect(answer.status(), `${path}: ${await answer.text()}`).toBe(200);
  return answer.json();
}

/** addUser makes a user who may call every model. */
export async function addUser(page: Page, name: string, password: string): Promise<number> {
  const { id } = await api(page, "/admin/users/upsert", { name, password });
  await admit(page, id);
  return id;
}

/** totp is what an authenticator app shows (RFC 6238), steps of 30 s from now. */
export function totp(base32: string, steps = 0): string {
  const bits = [...base32.replaceAll(/[\s=]/g, "")]
    .map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

export { expect, type Page };
