import { test } from "@playwright/test";
import { api, expect, signIn, totp } from "../support";
import { agree, dex, enter, enterAgain, github, me, npm, open, outside, save, someone, theAdmin, welcome } from "./providers";

const password = "a password that is long enough";

for (const provider of [dex, npm, github]) {
  test.describe(provider.name, () => {
    test.beforeAll(async () => {
      const boss = await theAdmin();
      await save(boss, provider, { sign_up: true, allowed_domains: ["example.com"] });
    });

    test("the first sign-in opens an account and ends at the page that was asked for; the next finds it", async ({ browser }) => {
      const page = await someone(browser);
      await page.goto("/console/account?from=a-link");
      await page.getByRole("link", { name: `Continue with ${provider.title}` }).click();
      await provider.logIn(page, "alice");
      await agree(page, provider);
      await expect(page).toHaveURL(/\/console\/account\?from=a-link$/);
      await expect(page.getByText("alice", { exact: true }).first()).toBeVisible();
      const first = await me(page);
      await expect(page.getByText("User", { exact: true })).toBeVisible();

      const boss = await theAdmin();
      await api(boss, "/admin/users/upsert", { id: first.id, is_admin: true });
      await enterAgain(page, provider, "alice");
      await welcome(page, "alice");
      expect(await me(page)).toMatchObject({ id: first.id, is_admin: true });
      await page.goto("/console/account");
      await expect(page.getByText("Administrator", { exact: true })).toBeVisible();
      await api(boss, "/admin/users/delete", { id: first.id });
    });

    test("who refuses at the provider stays out and may begin again", async ({ browser }) => {
      const page = await someone(browser);
      await open(page, provider, "carol");
      await page.getByRole("button", { name: provider.consent, exact: true }).waitFor();
      await provider.refuse(page);
      await expect(page.getByText(provider.refused.text)).toBeVisible();
      expect(page.url()).toContain(provider.refused.at);
      await page.context().clearCookies();
      await open(page, provider, "carol");
      await agree(page, provider);
      await welcome(page, "carol");
    });

    test("a stranger is told to ask for an invitation where accounts are not opened", async ({ browser }) => {
      const boss = await theAdmin();
      await save(boss, provider, { sign_up: false });
      await outside(await enter(browser, provider, "stranger"), "ask an administrator for an invitation");
      await save(boss, provider, { sign_up: true });
    });

    test("a disabled user stays out and is told", async ({ browser }) => {
      const page = await enter(browser, provider, "dora");
      await welcome(page, "dora");
      const { id } = await me(page);
      const boss = await theAdmin();
      await api(boss, "/admin/users/upsert", { id, enabled: false });
      expect((await page.request.post("/user/me", { data: {} })).status()).toBe(401);
      await enterAgain(page, provider, "dora");
      await outside(page, "disabled");
    });

    test("who has no password confirms who they are at the provider; with a second factor they show it too", async ({
      browser,
    }) => {
      const page = await enter(browser, provider, "erin");
      await welcome(page, "erin");
      await page.goto("/console/account");
      // No test waits the ten minutes that the gateway gives; its answer after them is put in its place once.
      let asked = 0;
      await page.route("**/user/factors/totp/begin", (route) =>
        asked++ > 0
          ? route.continue()
          : route.fulfill({
              status: 403,
              json: { status: 403, detail: "this needs a recent sign-in", reason: "recent_sign_in" },
            }),
      );
      await page.getByRole("button", { name: "Add an authenticator app" }).click();
      const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
      await expect(dialog.getByLabel("Password")).toHaveCount(0);
      await page.context().clearCookies({ domain: "localhost" }); // the provider asks anew
      await dialog.getByRole("link", { name: `Continue with ${provider.title}` }).click();
      await provider.logIn(page, "erin");
      await agree(page, provider);
      await expect(page).toHaveURL(/\/console\/account$/);
      await page.getByRole("button", { name: "Add an authenticator app" }).click();
      await expect(page.getByRole("dialog", { name: "Authenticator app" })).toBeVisible();
      const { secret, id } = await api(page, "/user/factors/totp/begin", {});
      await api(page, "/user/factors/totp/confirm", { id, code: totp(secret) });

      await enterAgain(page, provider, "erin");
      await expect(page.getByRole("heading", { name: "Second factor" })).toBeVisible();
      expect((await page.request.post("/user/me", { data: {} })).status()).toBe(401);
      await page.getByLabel("Code").fill("000000");
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
      await page.getByLabel("Code").fill(totp(secret, 1)); // the code of this step is used up
      await page.getByRole("button", { name: "Sign in" }).click();
      await welcome(page, "erin");
    });

    test("who links a sign-in comes in by it, until it is unlinked", async ({ browser }) => {
      const boss = await theAdmin();
      const name = `owner-${provider.name}`;
      await api(boss, "/admin/users/upsert", { name, password });
      const owner = await someone(browser);
      await signIn(owner, name, password);
      const link = await api(owner, "/user/identities/link", { provider: provider.name, return_to: "/console/account" });
      await owner.goto(link.url);
      await provider.logIn(owner, "finn");
      await agree(owner, provider);
      await expect(owner).toHaveURL(/\/console\/account$/);

      const linked = await enter(browser, provider, "finn");
      await welcome(linked, name);
      const [identity] = await api(owner, "/user/identities/query", {});
      await api(owner, "/user/identities/unlink", { id: identity.id });
      expect((await linked.request.post("/user/me", { data: {} })).status()).toBe(401);
      await linked.reload();
      await expect(linked.getByRole("heading", { level: 1, name: "Sign in", exact: true })).toBeVisible();
      const after = await enter(browser, provider, "finn");
      await welcome(after, "finn"); // an account of their own now
      expect((await me(after)).id).not.toBe((await me(owner)).id);
    });

    test("sso_only hides the password from all but who looks for it, and lets in through the provider", async ({ browser }) => {
      const boss = await theAdmin();
      await api(boss, "/admin/settings/upsert", { name: "sso_only", value: true });
      try {
        const page = await someone(browser);
        await page.goto("/console/sign-in");
        await expect(page.getByRole("link", { name: `Continue with ${provider.title}` })).toBeVisible();
        await expect(page.getByLabel("User name")).toHaveCount(0);
        await expect(page.getByRole("button", { name: "Use a passkey" })).toHaveCount(0);
        await open(page, provider, "grace");
        await agree(page, provider);
        await welcome(page, "grace");

        const root = await someone(browser);
        await root.goto("/console/sign-in");
        await root.getByRole("button", { name: "Sign in as the super admin" }).click();
        await expect(root.getByLabel("User name")).toBeVisible();
      } finally {
        await api(boss, "/admin/settings/upsert", { name: "sso_only", value: false });
      }
    });
  });
}

test("whatever an address asks for after the sign-in, one stays here", async ({ browser }) => {
  const page = await someone(browser);
  for (const next of ["//evil.example", "/console//evil.example", "/console/\\evil.example"]) {
    await page.context().clearCookies();
    await page.goto(`/console/sign-in?next=${encodeURIComponent(next)}`);
    await page.getByRole("link", { name: `Continue with ${npm.title}` }).click();
    await npm.logIn(page, "ivy");
    await agree(page, npm);
    await welcome(page, "ivy");
  }
});
