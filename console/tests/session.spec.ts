import { addUser, admin, api, expect, signIn, test } from "./support";

test("a deep link leads through the sign-in to its page", async ({ page }) => {
  await page.goto("/console/admin/users?sort=-name");
  await page.getByLabel("User name").fill(admin.name);
  await page.getByLabel(/^Password/).fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("invalid username or password");
  await page.getByLabel(/^Password/).fill(admin.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Users" })).toBeVisible();
  expect(new URL(page.url()).search).toContain("sort=-name");
});

test("a session that ends in the middle of a form is taken up again", async ({ page, context }) => {
  await signIn(page);
  await page.getByRole("link", { name: "My keys" }).click();
  await page.getByRole("button", { name: "Create a key" }).first().click();
  await page.getByLabel("Label").fill("kept through it all");
  await context.clearCookies();
  await page.getByRole("dialog", { name: "New key" }).getByRole("button", { name: "Create a key" }).click();
  const again = page.getByRole("dialog", { name: "Your session has ended" });
  await again.getByLabel(/^Password/).fill(admin.password);
  await again.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByLabel("API key", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByText("kept through it all")).toBeVisible();
});

test("a lost network is said and got over, with the form as it was", async ({ page, context }) => {
  await signIn(page);
  await page.getByRole("link", { name: "My keys" }).click();
  await page.getByRole("button", { name: "Create a key" }).first().click();
  const drawer = page.getByRole("dialog", { name: "New key" });
  await drawer.getByLabel("Label").fill("typed before");
  await context.setOffline(true);
  await drawer.getByRole("button", { name: "Create a key" }).click();
  await expect(drawer.getByRole("alert")).toContainText("The gateway cannot be reached");
  await expect(page.getByText("No connection to the gateway")).toBeAttached();
  await context.setOffline(false);
  await drawer.getByRole("button", { name: "Create a key" }).click();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByText("typed before")).toBeVisible();
  await expect(page.getByText("No connection to the gateway")).toHaveCount(0);
});

test("nothing secret stays in the browser's storage", async ({ page }) => {
  await signIn(page);
  await page.getByRole("link", { name: "My keys" }).click();
  const kept = await page.evaluate(async () => ({
    local: Object.keys(localStorage),
    session: sessionStorage.length,
    databases: (await indexedDB.databases()).length,
    cookie: document.cookie,
  }));
  expect(kept.local.filter((key) => !/^tollgate\.(language|scheme)$/.test(key))).toEqual([]);
  expect({ ...kept, local: [] }).toEqual({ local: [], session: 0, databases: 0, cookie: "" });
});

test("signing out ends the session", async ({ page }) => {
  await signIn(page);
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  expect((await page.request.post("/user/me", { data: {} })).status()).toBe(401);
});

test("what a sign-in provider answered is shown as a report, and a factor that nobody waits for is said", async ({ page }) => {
  await page.goto(`/console/sign-in?error=${encodeURIComponent("<b>no</b> such account")}&reason=forbidden`);
  const report = page.getByRole("alert");
  await expect(report).toContainText("The sign-in provider answered");
  await expect(report).toContainText("<b>no</b> such account");
  await page.goto("/console/sign-in?second_factor=1");
  await expect(page.getByRole("alert")).toContainText("no sign-in waits for a second factor");
  await expect(page.getByLabel("User name")).toBeVisible();
});

test("a part of the console that the gateway no longer has is said, with a way on", async ({ page }) => {
  await signIn(page);
  await page.route(/\/console\/assets\/audit-[^/]*\.js$/, (route) => route.fulfill({ status: 404, body: "" }));
  await page.getByRole("link", { name: "Audit" }).click();
  await expect(page.getByText("The gateway has been updated")).toBeVisible();
  await page.unroute(/\/console\/assets\/audit-[^/]*\.js$/);
  await page.getByRole("button", { name: "Reload" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "Audit" })).toBeVisible();
});

test("a role that is taken while a page is open asks to sign in again and leaves a page that says so", async ({
  page,
  browser,
  baseURL,
}) => {
  await signIn(page);
  const password = "a password that is long enough";
  const id = await addUser(page, "nora", password);
  await api(page, "/admin/users/upsert", { id, is_admin: true });
  const theirs = await (await browser.newContext({ baseURL, locale: "en-US" })).newPage();
  await signIn(theirs, "nora", password);
  await theirs.getByRole("link", { name: "Users" }).click();
  await expect(theirs.getByRole("heading", { level: 1, name: "Users" })).toBeVisible();
  await api(page, "/admin/users/upsert", { id, is_admin: false });
  await theirs.getByRole("link", { name: "Prices" }).click(); // the change has ended the session
  const again = theirs.getByRole("dialog", { name: "Your session has ended" });
  await again.getByLabel(/^Password/).fill(password);
  await again.getByRole("button", { name: "Sign in" }).click();
  await expect(theirs.getByRole("heading", { level: 1, name: "This page is for administrators" })).toBeVisible();
  await theirs.getByRole("link", { name: "Home", exact: true }).last().click();
  await expect(theirs.getByRole("heading", { level: 1, name: "Welcome, nora" })).toBeVisible();
  await expect(theirs.getByRole("link", { name: "Users" })).toHaveCount(0);
});

test("signing out in one window asks the other one to sign in, and it goes on", async ({ page, context }) => {
  await signIn(page);
  const other = await context.newPage();
  await other.goto("/console/keys");
  await other.getByRole("button", { name: "Create a key" }).first().click();
  await other.getByLabel("Label").fill("from the other window");
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  await other.getByRole("dialog", { name: "New key" }).getByRole("button", { name: "Create a key" }).click();
  const again = other.getByRole("dialog", { name: "Your session has ended" });
  await again.getByLabel(/^Password/).fill(admin.password);
  await again.getByRole("button", { name: "Sign in" }).click();
  await expect(other.getByLabel("API key", { exact: true })).toBeVisible();
});
