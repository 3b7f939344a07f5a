import { admit, call, expect, signIn, test } from "./support";

test("an admin creates a user, hands out a key, and cuts it off", async ({ page }) => {
  await signIn(page);
  await page.getByRole("link", { name: "Users" }).click();
  await page.getByRole("button", { name: "Create a user" }).click();
  const drawer = page.getByRole("dialog", { name: "New user" });
  await drawer.getByLabel("Name").fill("zoe");
  await drawer.getByLabel("E-mail").fill("zoe@example.com");
  await drawer.getByLabel(/^Password/).fill("a password of zoe's");
  await drawer.getByRole("button", { name: "Create a user" }).click();
  await expect(drawer).toBeHidden();
  await page.getByRole("link", { name: "zoe" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "zoe" })).toBeVisible();
  await admit(page, Number(new URL(page.url()).pathname.split("/").at(-1)));

  await page.getByRole("tab", { name: "Keys" }).click();
  await page.getByRole("button", { name: "Create a key" }).click();
  await page.getByLabel("Label").fill("laptop");
  await page.getByRole("dialog", { name: "New key" }).getByRole("button", { name: "Create a key" }).click();
  const secret = await page.getByLabel("API key", { exact: true }).inputValue();
  expect(secret).toMatch(/^sk-tg-[0-9A-Za-z]{38}$/);
  await page.keyboard.press("Escape");
  await expect(page.getByLabel("API key", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByText(secret)).toHaveCount(0);
  expect(await call(page, secret)).toBe(200);

  await page.getByRole("button", { name: "Actions: zoe" }).click();
  await page.getByRole("menuitem", { name: "Deactivate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
  await page.getByRole("tab", { name: "Overview" }).click();
  await expect(page.getByText("Inactive")).toBeVisible();
  expect(await call(page, secret)).toBe(401);
});

test("what the server refuses is shown at its field, and a form is not lost by a slip", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/users");
  await page.getByRole("button", { name: "Create a user" }).click();
  const drawer = page.getByRole("dialog", { name: "New user" });
  await drawer.getByLabel("Name").fill("admin");
  await drawer.getByRole("button", { name: "Create a user" }).click();
  await expect(drawer.getByText(/taken|exists|already/i)).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Go on editing" }).click();
  await expect(drawer.getByLabel("Name")).toHaveValue("admin");
});

test("nobody acts on the own account", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/users?q=admin");
  await expect(page.getByRole("checkbox", { name: "Select admin" })).toBeDisabled();
  await page.getByRole("button", { name: "Actions: admin" }).click();
  await expect(page.getByRole("menuitem", { name: "Edit" })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: "Delete" })).toHaveCount(0);
});
