import { pages } from "./pages";
import { expect, expectAccessible, signIn, spend, test } from "./support";

type Look = { scheme: "light" | "dark"; language: "en" | "zh"; width: number };

const looks: Look[] = (["light", "dark"] as const).flatMap((scheme) =>
  (["en", "zh"] as const).flatMap((language) => [1280, 390].map((width) => ({ scheme, language, width }))),
);
/** Every look in the long run; else both schemes in one language at a desk. */
const shown = looks.filter(({ language, width }) => process.env.TOLLGATE_TEST_LONG || (language === "en" && width === 1280));

for (const { scheme, language, width } of shown) {
  test(`every page is accessible in ${scheme}, ${language}, ${width} pixels wide`, async ({ page }) => {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.goto("/console/sign-in");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectAccessible(page);
    await signIn(page);
    await spend(page);
    await page.evaluate((value) => localStorage.setItem("tollgate.language", value), language);
    test.setTimeout(10_000 * pages.length);
    for (const { path, heading } of pages) {
      await test.step(path, async () => {
        await page.goto(path);
        await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
        await page.waitForLoadState("networkidle");
        await expectAccessible(page);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(over, "pixels wider than the window").toBeLessThanOrEqual(0);
      });
    }
  });
}

test("the shell works by keyboard", async ({ page }) => {
  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await expect(page.getByRole("heading", { level: 1, name: "My keys" })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Search pages and commands…").fill("users");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Users" })).toBeVisible();
});

test("it speaks Chinese", async ({ page }) => {
  await signIn(page);
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "中文" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "欢迎，admin" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
});

test("a first load stays below 350 kB, with figures to show", async ({ page, browser, baseURL }) => {
  await signIn(page);
  await spend(page);
  const fresh = await browser.newPage({ baseURL, locale: "en-US" }); // nothing in its cache
  await signIn(fresh);
  await expect(fresh.getByRole("img", { name: /spending/i })).toBeVisible();
  await expect(fresh.getByText("demo-small").first()).toBeVisible();
  const bytes = await fresh.evaluate(() =>
    [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .map((entry) => (entry as PerformanceResourceTiming).transferSize)
      .reduce((sum, size) => sum + size, 0),
  );
  console.log(`    sign-in and home: ${Math.round(bytes / 1000)} kB on the wire`);
  expect(bytes).toBeGreaterThan(50_000); // it did measure
  expect(bytes).toBeLessThan(350_000);
});
