import { addUser, api, expect, expectAccessible, signIn, spend, test } from "./support";

test("settings of the process say where they come from", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/system");
  const table = page.getByRole("region", { name: "Process settings" });
  await page.getByLabel("Search settings").fill("admin_password");
  const row = table.getByRole("row").filter({ hasText: "server.admin_password" });
  await expect(row).toContainText("set, not shown");
  await expect(row).toContainText("environment");
  await page.getByLabel("Search settings").fill("keep_alive");
  await expect(table.getByRole("row").filter({ hasText: "server.keep_alive" })).toContainText(/14s.*file.*tollgate\.toml:3/);
  await page.getByLabel("Search settings").fill("ledger.");
  await expect(table.getByRole("row").filter({ hasText: "ledger.slice" })).toContainText("1024");
  await page.getByLabel("Only what is set").click();
  await expect(page.getByText("Nothing matches")).toBeVisible();
});

test("what runs here is told, with the licences of what it is made of", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/system?tab=about");
  await expect(page.getByText("serving", { exact: true })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "filippo.io/age" })).toContainText("BSD-3-Clause");
});

test("a reset takes away what was ticked, and nothing else", async ({ page }) => {
  await signIn(page);
  await spend(page);
  await addUser(page, "stays", "a password that is long enough");
  await page.goto("/console/admin/system?tab=danger");
  const ask = page.getByRole("button", { name: "Reset what is ticked" });
  await expect(ask).toBeDisabled();
  await page.getByRole("checkbox", { name: "Request log" }).check();
  await page.getByRole("checkbox", { name: "Statistics" }).check();
  await ask.click();
  const dialog = page.getByRole("dialog", { name: "Reset for good?" });
  const sure = dialog.getByRole("button", { name: "Reset" });
  await expect(dialog.getByRole("listitem")).toHaveCount(2);
  await dialog.getByLabel("Type RESET to confirm").fill("reset");
  await expect(sure).toBeDisabled();
  await expectAccessible(page);
  await dialog.getByLabel("Type RESET to confirm").fill("RESET");
  await sure.click();
  await expect(page.getByText("It is gone")).toBeVisible();
  expect(await api(page, "/user/requests/query", {})).toEqual([]);
  expect(await api(page, "/admin/users/query", { name: { eq: "stays" } })).toHaveLength(1);
  const [last] = await api(page, "/admin/audit/query", { sort: "-id", limit: 1, action: { eq: "system.reset" } });
  expect(last.detail.what).toEqual(["statistics", "logs"]);
});
