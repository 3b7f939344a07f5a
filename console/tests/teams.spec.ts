import { addUser, api, call, expect, expectAccessible, signIn, test } from "./support";

test("a team gets models and a budget, and a member who leaves loses both", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/teams");
  await page.getByRole("button", { name: "Create a team" }).first().click();
  const form = page.getByRole("dialog", { name: "New team" });
  await form.getByLabel("Name").fill("Research");
  await form.getByRole("button", { name: "Create a team" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Research" })).toBeVisible();

  const { id } = await api(page, "/admin/users/upsert", { name: "rosa" });
  const { api_key } = await api(page, "/admin/user-keys/generate", { user_id: id, label: "lab" });
  expect(await call(page, api_key)).toBe(403);

  await page.getByRole("button", { name: "Add a member" }).first().click();
  const add = page.getByRole("dialog", { name: "Add a member to Research" });
  await add.getByRole("combobox", { name: "User", exact: false }).first().fill("rosa");
  await page.getByRole("option", { name: "rosa" }).click();
  await add.getByRole("button", { name: "Add a member" }).click();
  await expect(add).toBeHidden();
  await expect(page.getByRole("link", { name: "rosa" })).toBeVisible();

  await page.getByRole("tab", { name: "Rights" }).click();
  await page.getByRole("button", { name: "Allow models" }).click();
  const allow = page.getByRole("dialog", { name: "Allow models" });
  await allow.getByLabel("Models").fill("demo-*");
  await allow.getByRole("button", { name: "Create" }).click();
  await expect(allow).toBeHidden();
  await expect(page.getByRole("cell", { name: "demo-*", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Set a budget" }).click();
  const budget = page.getByRole("dialog", { name: "Set a budget" });
  await budget.getByLabel("US dollars").fill("5");
  await budget.getByRole("button", { name: "Save" }).click();
  await expect(budget).toBeHidden();
  await expect(page.getByText("$5", { exact: false }).first()).toBeVisible();
  expect(await call(page, api_key)).toBe(200);
  await expectAccessible(page);

  await page.goto(`/console/admin/users/${id}?tab=rights`);
  await expect(page.getByRole("link", { name: "team Research" }).first()).toBeVisible();

  await page.goBack();
  await page.getByRole("tab", { name: "Members" }).click();
  await page.getByRole("button", { name: "Actions: rosa" }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("link", { name: "rosa" })).toBeHidden();
  expect(await call(page, api_key)).toBe(403);
});

test("an admin ends a person's sign-ins and makes a link for a new password", async ({ page, browser }) => {
  await signIn(page);
  const id = await addUser(page, "sam", "a password of sam's");
  const other = await browser.newPage();
  await signIn(other, "sam", "a password of sam's");
  await page.goto(`/console/admin/users/${id}?tab=security`);
  await page.getByRole("button", { name: "End", exact: true }).click();
  await expect(page.getByText("Signed in nowhere")).toBeVisible();
  expect((await other.request.post("/user/me", { data: {} })).status()).toBe(401);

  await page.getByRole("button", { name: "Make a reset link" }).click();
  const link = await page.getByLabel("Send this to the person").inputValue();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await other.goto(link);
  await other
    .getByLabel(/^New password|^Password/)
    .first()
    .fill("another password of sam's");
  await other.getByRole("button", { name: "Set the password" }).click();
  await expect
    .poll(async () =>
      (await other.request.post("/login", { data: { username: "sam", password: "another password of sam's" } })).status(),
    )
    .toBe(200);
  await other.close();
});

test("everybody's permissions are in one place", async ({ page }) => {
  await signIn(page);
  const id = await addUser(page, "thea", "a password of thea's");
  await page.goto("/console/admin/grants?scope=user");
  await expect(page.getByRole("link", { name: "thea" })).toBeVisible();
  await page.getByRole("tab", { name: "Budgets" }).click();
  await page.getByRole("button", { name: "Set a budget" }).first().click();
  const form = page.getByRole("dialog", { name: "Set a budget" });
  await form.getByRole("combobox", { name: "User" }).fill("thea");
  await page.getByRole("option", { name: "thea" }).click();
  await form.getByLabel("US dollars").fill("3");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toBeHidden();
  const quotas = await api(page, "/admin/quotas/query", { user_id: { eq: id } });
  expect(quotas).toMatchObject([{ scope: "user", quota: 3 }]);
});
