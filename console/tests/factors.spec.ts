import { addUser, admin, expect, signIn, test, totp } from "./support";

const password = "a password that is long enough";

test("an authenticator app is added, and asked for at the next sign-in", async ({ page, context }) => {
  await signIn(page);
  await addUser(page, "tess", password);
  await context.clearCookies();
  await signIn(page, "tess", password);
  await page.goto("/console/account");
  await page.getByRole("button", { name: "Add an authenticator app" }).click();
  const secret = (await page.getByRole("dialog").getByRole("region", { name: "Secret" }).textContent()) ?? "";
  await page.getByRole("dialog").getByLabel("Code").fill(totp(secret));
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByRole("textbox", { name: "Recovery codes" })).not.toHaveValue("");
  await page.getByRole("button", { name: "I have kept it" }).click();

  await context.clearCookies();
  await page.goto("/console/sign-in");
  await page.getByLabel("User name").fill("tess");
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel(/code/i).fill("000000");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel(/code/i).fill(totp(secret, 1)); // the code of this step is used up
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Welcome, tess" })).toBeVisible();
});

test("what needs a recent sign-in asks for it over the page and goes on", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/account");
  // No test waits the ten minutes that the gateway gives; its answer after them is put in its place once.
  let asked = 0;
  await page.route("**/user/factors/totp/begin", (route) =>
    asked++ > 0
      ? route.continue()
      : route.fulfill({ status: 403, json: { status: 403, detail: "this needs a recent sign-in", reason: "recent_sign_in" } }),
  );
  await page.getByRole("button", { name: "Add an authenticator app" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
  await dialog.getByLabel(/^Password/).fill("wrong");
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await dialog.getByLabel(/^Password/).fill(admin.password);
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByRole("dialog", { name: "Authenticator app" })).toBeVisible();
  expect(asked).toBe(2);
});
