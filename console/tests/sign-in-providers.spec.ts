import { api, expect, expectAccessible, signIn, test } from "./support";

test("a sign-in provider is tested, set up, and deleted", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/sign-in-providers");
  await page.getByRole("button", { name: "Add a provider" }).first().click();
  const form = page.getByRole("dialog", { name: "New sign-in provider" });
  await form.getByLabel("Name").fill("hub");
  await expect(form.getByLabel("Redirect address")).toHaveValue(/\/auth\/sso\/hub\/callback$/);
  await form.getByLabel("Client id").fill("an-id");
  await form.getByLabel("Client secret").fill("a-secret-of-the-test");
  await form.getByLabel("On the button").fill("The Hub");
  await form.getByRole("button", { name: "Test" }).click();
  await expect(form.getByRole("status")).toBeVisible();
  await expectAccessible(page);
  await form.getByRole("button", { name: "Create" }).click();
  await expect(form).toBeHidden();
  await expect(page.getByRole("cell", { name: "The Hub" })).toBeVisible();
  expect(await api(page, "/admin/sso-providers/query", {})).toContainEqual(
    expect.objectContaining({ name: "hub", display_name: "The Hub", kind: "github" }),
  );

  await page.getByRole("button", { name: "Actions: hub" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const ask = page.getByRole("dialog");
  await ask.getByRole("textbox").fill("hub");
  await ask.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("cell", { name: "The Hub" })).toBeHidden();
  expect(await api(page, "/admin/sso-providers/query", {})).not.toContainEqual(expect.objectContaining({ name: "hub" }));
});
