import { admit, call, expect, newestRow, type Page, testOn } from "./support";

// The way from nothing to a person who is cut off again, and what it leaves behind.

const test = testOn('[server]\nbootstrap = "register"\n');
const password = { root: "the password of the first one", zoe: "a password of zoe's own" };

test("first account, user, key, call, live request, cost, end; and nothing secret is left behind", async ({
  page,
  context,
  gateway,
}) => {
  test.setTimeout(90_000);
  const said: string[] = [];
  const addresses: string[] = [];
  const listen = (tab: Page) => {
    tab.on("console", (message) => said.push(message.text()));
    tab.on("request", (request) => addresses.push(request.url()));
    tab.on("framenavigated", (frame) => addresses.push(frame.url()));
  };
  listen(page);

  const link = (await gateway.log()).match(/\/console\/setup#(\S+)/);
  const setup = link?.[1] ?? "";
  expect(setup).not.toBe("");
  await page.goto(link?.[0] ?? "");
  await page.getByLabel("User name").fill("root");
  await page.getByLabel(/^Password/).fill(password.root);
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("User name").fill("root");
  await page.getByLabel(/^Password/).fill(password.root);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Welcome, root" })).toBeVisible();

  await page.getByRole("link", { name: "Users" }).click();
  await page.getByRole("button", { name: "Create a user" }).first().click();
  const drawer = page.getByRole("dialog", { name: "New user" });
  await drawer.getByLabel("Name").fill("zoe");
  await drawer.getByLabel(/^Password/).fill(password.zoe);
  await drawer.getByRole("button", { name: "Create a user" }).click();
  await expect(drawer).toBeHidden();
  await page.getByRole("link", { name: "zoe" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "zoe" })).toBeVisible();
  await admit(page, Number(new URL(page.url()).pathname.split("/").at(-1)));
  await page.getByRole("tab", { name: "Keys" }).click();
  await page.getByRole("button", { name: "Create a key" }).click();
  await page.getByRole("dialog", { name: "New key" }).getByRole("button", { name: "Create a key" }).click();
  const key = await page.getByLabel("API key", { exact: true }).inputValue();
  expect(key).toMatch(/^sk-tg-/);
  await page.getByRole("button", { name: "I have kept it" }).click();

  const watch = await context.newPage();
  listen(watch);
  const watching = watch.waitForResponse((r) => r.url().endsWith("/admin/requests/live"));
  await watch.goto("/console/admin/requests?live=on");
  await watching;
  expect(await call(page, key)).toBe(200);
  const row = newestRow(watch);
  await expect(row).toContainText("demo-small");
  await expect(row).toContainText("zoe");
  await expect(row).toContainText(/\$0\.0000\d*[1-9]/);
  await row.getByRole("link").click();
  await expect(watch.getByRole("table", { name: "What the cost is made of" })).toContainText("output");

  await page.getByRole("button", { name: "Actions: zoe" }).click();
  await page.getByRole("menuitem", { name: "Deactivate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
  await page.getByRole("tab", { name: "Overview" }).click();
  await expect(page.getByText("Inactive")).toBeVisible();
  expect(await call(page, key)).toBe(401);

  // A quiet console says nothing: this shows that it would have been heard.
  for (const tab of [page, watch]) await tab.evaluate(() => console.info("heard"));
  await expect.poll(() => said.filter((text) => text === "heard").length).toBe(2);
  const cookies = await context.cookies();
  expect(cookies.length).toBeGreaterThan(0);
  const secrets = [setup, key, password.root, password.zoe, ...cookies.map(({ value }) => value)].filter((s) => s.length >= 16);
  expect(secrets.length).toBeGreaterThan(4);
  const places: Record<string, string> = {
    console: said.join("\n"),
    addresses: addresses.map((address) => address.replace(`/console/setup#${setup}`, "")).join("\n"), // where it was opened
    "the gateway's log": (await gateway.log()).replace(link?.[0] ?? "", ""), // where it was handed out
  };
  for (const [i, tab] of [page, watch].entries()) places[`the browser, window ${i + 1}`] = await kept(tab);
  for (const [place, text] of Object.entries(places)) {
    expect(text, place).not.toBe("");
    expect(
      secrets.filter((secret) => text.includes(secret) || text.includes(encodeURIComponent(secret))),
      place,
    ).toEqual([]);
  }
});

/** kept is all that scripts of a page can read of what the browser keeps. */
function kept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const caches = await globalThis.caches.keys();
    return JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      databases,
      caches,
      document.cookie,
      location.href,
      history.state,
      document.title,
      window.name,
    ]);
  });
}

test("a gateway that stops under an open page is waited for, with the form as it was", async ({ page, gateway }) => {
  const link = (await gateway.log()).match(/\/console\/setup#(\S+)/);
  await page.goto(link?.[0] ?? "");
  await page.getByLabel("User name").fill("root");
  await gateway.stop();
  await page.getByLabel(/^Password/).fill(password.root);
  await page.getByRole("button", { name: "Create the account" }).click();
  await expect(page.getByRole("alert")).toContainText("The gateway cannot be reached");
  await expect(page.getByLabel("User name")).toHaveValue("root");
  await gateway.start();
  await page.getByRole("button", { name: "Create the account" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "This link does not work any more" })).toBeVisible(); // each start prints a new one
});
