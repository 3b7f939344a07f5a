import { pages } from "./pages";
import { addUser, api, type Caller, expect, signIn, spend, test } from "./support";

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

/** company fills the demo with the traffic of a small team, so that pictures show what pages are for. */
async function company(page: Caller) {
  const people = ["Ana", "Ben", "Chen", "Dora", "Emil"];
  const team = await api(page, "/admin/teams/upsert", { name: "Research" });
  await api(page, "/admin/quotas/upsert", { team_id: team.id, window: "month", quota: 25 });
  await api(page, "/admin/quotas/upsert", { scope: "instance", window: "month", quota: 100 });
  for (const [i, name] of people.entries()) {
    const id = await addUser(page as Parameters<typeof addUser>[0], name.toLowerCase(), `the password of ${name}`);
    await api(page, "/admin/user-quotas/upsert", { user_id: id, window: "month", quota: 0.004 * (i + 1) });
    if (i < 3) await api(page, "/admin/teams/members/add", { team_id: team.id, id });
    const { api_key } = await api(page, "/admin/user-keys/generate", { user_id: id, label: "notebook" });
    for (let n = 0; n < 12 - 2 * i; n++) {
      const told = n === 3 ? "[[demo:status=503]]" : n === 5 ? "[[demo:slow=90ms]]" : "";
      await page.request.post("/v1/chat/completions", {
        headers: { authorization: `Bearer ${api_key}` },
        data: {
          model: n % 3 === 0 ? "demo-large" : "demo-small",
          stream: n % 2 === 0,
          messages: [{ role: "user", content: `${told} Tell me about the ${n}. planet in a few words.` }],
        },
      });
    }
  }
}

test("the pictures of the README", async ({ page }) => {
  test.setTimeout(120_000);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ reducedMotion: "reduce", colorScheme: "light" });
  await signIn(page);
  await company(page);
  await spend(page);
  const shoot = async (file: string, path: string, colorScheme: "light" | "dark") => {
    await page.emulateMedia({ reducedMotion: "reduce", colorScheme });
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: `shots/readme/${file}.png` });
  };
  await shoot("overview", "/console/admin/overview?range=1h", "light");
  await shoot("requests", "/console/admin/requests", "dark");
  await shoot("team", "/console/admin/teams/1?tab=rights", "light");
  await page.goto("/console/admin/requests");
  await page.locator('tbody tr[data-index="4"] a').first().click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: "shots/readme/request.png" });
});
