import { addUser, api, call, expect, expectAccessible, signIn, test } from "./support";

const password = "a password that is long enough";

test("a key is edited: label, models, addresses and a budget of its own", async ({ page }) => {
  await signIn(page);
  const { id } = await api(page, "/user/keys/generate", { label: "to edit" });
  await page.goto("/console/keys");
  await page.getByRole("button", { name: "Actions: to edit" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  const drawer = page.getByRole("dialog", { name: "Edit to edit" });
  await drawer.getByLabel("Label").fill("edited");
  await drawer.getByLabel("Works until").fill("2099-12-31");
  await drawer.getByLabel("Only these models").fill("demo-*");
  await drawer.getByLabel("Only these models").press("Enter");
  await drawer.getByLabel("Only from these addresses").fill("not an address");
  await drawer.getByLabel("Only from these addresses").press("Enter");
  await drawer.getByLabel("Per day").fill("2.5");
  await expectAccessible(page);
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer.getByText(/not an address/).last()).toBeVisible();
  await drawer.getByLabel("Only from these addresses").press("Backspace");
  await drawer.getByLabel("Only from these addresses").fill("127.0.0.0/8");
  await drawer.getByLabel("Only from these addresses").press("Enter");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer).toBeHidden();
  const [key] = await api(page, "/user/keys/query", { id: { eq: id } });
  expect(key).toMatchObject({ label: "edited", models: ["demo-*"], ip_allow: ["127.0.0.0/8"] });
  expect(key.quotas).toEqual([{ window: "day", quota: 2.5 }]);
  expect(key.expires_at).toMatch(/^2099-12-31|^2100-01-01/);
});

test("name and address are one's own to change", async ({ page, context }) => {
  await signIn(page);
  await addUser(page, "pia", password);
  await context.clearCookies();
  await signIn(page, "pia", password);
  await page.goto("/console/account");
  await page.getByRole("button", { name: "Edit: Profile" }).click();
  const drawer = page.getByRole("dialog", { name: "Edit your profile" });
  await drawer.getByLabel("Name").fill("admin");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer.getByText(/taken|exists|already/i)).toBeVisible();
  await drawer.getByLabel("Name").fill("pia m.");
  await drawer.getByLabel("E-mail").fill("pia@example.com");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer).toBeHidden();
  await expect(page.getByText("pia@example.com")).toBeVisible();
  expect(await api(page, "/user/me", {})).toMatchObject({ name: "pia m.", email: "pia@example.com" });
});

test("one sees what one may, where it comes from, and that a budget is spent", async ({ page, context }) => {
  await signIn(page);
  const id = await addUser(page, "rita", password);
  await api(page, "/admin/user-quotas/upsert", { user_id: id, window: "month", quota: 0.6, cost_used: 0.5 });
  await api(page, "/admin/user-rate-limits/upsert", { user_id: id, model_pattern: "*", rpm: 100 });
  await context.clearCookies();
  await signIn(page, "rita", password);
  await page.goto("/console/rights");
  await expect(page.getByRole("region", { name: "Models" }).getByRole("row").filter({ hasText: "granted to you" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Rate limits" })).toContainText("100");
  await expect(page.getByText("No key yet")).toBeVisible();
  const { api_key } = await api(page, "/user/keys/generate", { label: "spender" });
  expect(await call(page, api_key)).toBe(200);
  await expect
    .poll(async () => (await api(page, "/user/alarms/query", { open: true })).length, { timeout: 20_000 })
    .toBeGreaterThan(0);
  await page.goto("/console/");
  await page.getByRole("link", { name: "Look" }).click();
  await expect(page.getByRole("row").filter({ hasText: "your budget" }).first()).toContainText("$0.50 / $0.60");
  await expectAccessible(page);
});

test("accounts elsewhere are linked and unlinked, and a refusal is told", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/account?error=the+account+is+linked+to+another+user");
  await expect(page.getByText("the account is linked to another user")).toBeVisible();
  // No provider is set up here; what the gateway answers where there is one stands in its place.
  let linked = [
    { id: 7, provider: "github", subject: "1", email: "me@example.com", created_at: "2026-01-01T00:00:00Z", last_used_at: null },
  ];
  await page.route("**/auth/providers", (route) =>
    route.fulfill({
      json: {
        providers: [
          { name: "github", title: "GitHub" },
          { name: "google", title: "Google" },
        ],
      },
    }),
  );
  await page.route("**/user/identities/query", (route) => route.fulfill({ json: linked }));
  await page.route("**/user/identities/unlink", (route) => {
    expect(route.request().postDataJSON()).toEqual({ id: 7 });
    linked = [];
    return route.fulfill({ json: { ok: true, id: 7 } });
  });
  await page.route("**/user/identities/link", (route) => {
    expect(route.request().postDataJSON()).toEqual({ provider: "google", return_to: "/console/account" });
    return route.fulfill({ json: { ok: true, url: "/console/keys" } });
  });
  await page.goto("/console/account");
  const card = page.getByRole("region", { name: "Linked sign-ins" });
  await expect(card.getByText("me@example.com")).toBeVisible();
  await expect(card.getByRole("button", { name: "Link GitHub" })).toHaveCount(0);
  await card.getByRole("button", { name: "Unlink: GitHub" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  await expect(card.getByRole("button", { name: "Link GitHub" })).toBeVisible();
  await card.getByRole("button", { name: "Link Google" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "My keys" })).toBeVisible();
});
