import { addUser, admin, api, expect, signIn, testOn } from "./support";

const test = testOn("");
const heir = { name: "hera", password: "a password of hera's" };

test("the super admin hands the role over, by typing the name, and keeps an administrator's", async ({
  page,
  browser,
  gateway,
}) => {
  await signIn(page);
  const id = await addUser(page, heir.name, heir.password);
  await api(page, "/admin/users/upsert", { id, is_admin: true }); // it goes to an administrator
  await page.goto(`/console/admin/users/${id}?tab=security`);
  const button = page.getByRole("button", { name: "Hand over", exact: true });
  await button.click();
  const dialog = page.getByRole("dialog", { name: `Hand the super admin's role to ${heir.name}?` });
  const confirm = dialog.getByRole("button", { name: "Hand over" });
  await expect(confirm).toBeDisabled();
  await dialog.getByRole("textbox").fill("somebody else");
  await expect(confirm).toBeDisabled();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();

  await button.click();
  await dialog.getByRole("textbox").fill(heir.name);
  await confirm.click();
  const ended = page.getByRole("dialog", { name: "Your session has ended" }); // a role has changed
  await ended.getByLabel(/^Password/).fill(admin.password);
  await ended.getByRole("button", { name: "Sign in" }).click();
  await expect(ended).toBeHidden();
  await expect(button).toHaveCount(0); // it is no longer theirs to give
  expect(await api(page, "/user/me", {})).toMatchObject({ is_admin: true, is_super_admin: false });

  const other = await browser.newPage({ baseURL: gateway.url });
  await signIn(other, heir.name, heir.password);
  expect(await api(other, "/user/me", {})).toMatchObject({ is_super_admin: true });
  await other.goto(`/console/admin/users/${id}?tab=security`);
  await expect(other.getByRole("heading", { level: 1, name: heir.name })).toBeVisible();
  await expect(other.getByRole("button", { name: "Hand over", exact: true })).toHaveCount(0); // not to oneself
  await other.close();
});
