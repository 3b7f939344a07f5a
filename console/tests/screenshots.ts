import { pages } from "./pages";
import { expect, signIn, spend, test } from "./support";

const looks = [
  { name: "light", colorScheme: "light", width: 1280, height: 860, language: "en" },
  { name: "dark", colorScheme: "dark", width: 1280, height: 860, language: "en" },
  { name: "phone", colorScheme: "light", width: 390, height: 844, language: "en" },
  { name: "chinese", colorScheme: "light", width: 1280, height: 860, language: "zh" },
] as const;

for (const { name, colorScheme, width, height, language } of looks) {
  test(`every page, ${name}`, async ({ page }) => {
    test.setTimeout(180_000);
    const shoot = (file: string) => page.screenshot({ path: `shots/${file}-${name}.png` });
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto("/console/sign-in");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await shoot("sign-in");
    await signIn(page);
    await spend(page);
    await page.evaluate((value) => localStorage.setItem("tollgate.language", value), language);
    for (const { name: file, path, heading } of pages) {
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
      await page.waitForLoadState("networkidle");
      await shoot(file);
    }
  });
}
