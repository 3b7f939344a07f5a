import { api, expect, signIn, test } from "./support";

test("a setting is changed, kept, and set back", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/settings");
  const idle = page.getByLabel("A session that is not used ends after");
  await expect(idle).toHaveValue("12 h");
  await idle.fill("6");
  await page.getByRole("button", { name: "Save" }).first().click();
  await expect(page.getByText("6 hours; the default is 12")).toBeVisible();
  expect(await api(page, "/admin/settings/query", {})).toContainEqual({ name: "session_idle_secs", value: 21600 });
  await page.getByRole("button", { name: "Back to the default" }).click();
  await expect(page.getByText("12 hours; the default is 12")).toBeVisible();
});

test("an alias is made, stands for its model, and is deleted", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/aliases");
  await page.getByRole("button", { name: "Create an alias" }).first().click();
  const drawer = page.getByRole("dialog", { name: "Create an alias" });
  await drawer.getByLabel("Alias").fill("quick");
  await drawer.getByLabel("Target").fill("demo-small");
  await drawer.getByRole("button", { name: "Create an alias" }).click();
  await expect(drawer).toBeHidden();
  const data = { model: "quick", messages: [{ role: "user", content: "Hello!" }] };
  expect((await page.request.post("/user/playground/v1/chat/completions", { data })).status()).toBe(200);
  await page.getByRole("button", { name: "Actions: quick" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("button", { name: "Actions: quick" })).toBeHidden();
});
