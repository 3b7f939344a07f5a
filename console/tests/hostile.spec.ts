import { pages } from "./pages";
import { addUser, api, expect, signIn, test } from "./support";

// What a stranger, or a user, may put where others will look at it: markup that
// wants to run, marks that turn the direction of text, names as long as they go.
const markup = `<img src=x onerror=alert(1)><script>alert(2)</script>"'>{{7*7}}`;
const turned = "\u202Ecod.exe\u2066 \u05D0\u05D1 ";

/** name is hostile and as many characters long as may be. */
function name(most: number, mark: string): string {
  return (mark + markup + turned).slice(0, most).trimEnd().padEnd(most, "W");
}

test("hostile names run nowhere and leave the layout as it is", async ({ page }) => {
  test.setTimeout(240_000);
  await signIn(page);
  const { id: own } = await api(page, "/user/me", {});
  // A name that the API refuses, for its marks, is put there without them.
  const put = async (path: string, field: string, most: number, mark: string, rest: object = {}) => {
    let said = "";
    for (const value of [name(most, mark), (mark + markup).padEnd(most, "W"), mark.padEnd(most, "w")]) {
      const answer = await page.request.post(path, { data: { ...rest, [field]: value } });
      if (answer.status() === 200) return { value, id: (await answer.json()).id as number };
      said = await answer.text();
    }
    throw new Error(`${path} takes no ${field}: ${said}`);
  };
  const user = await put("/admin/users/upsert", "name", 128, "user", { password: "a password that is long enough" });
  await put("/admin/user-keys/generate", "label", 128, "key", { user_id: user.id });
  await put("/user/keys/generate", "label", 128, "own");
  await put("/admin/model-aliases/upsert", "alias", 256, "alias", { target: "demo-small" });
  await put("/admin/models/upsert", "display_name", 128, "model", { provider_id: 1, model_id: "hostile-model" });
  const provider = await put("/admin/providers/upsert", "name", 63, "prov", { kind: "demo" });
  await put("/admin/credentials/upsert", "label", 128, "cred", { provider_id: provider.id, api_key: "sk-hostile-credential" });
  await api(page, "/admin/settings/upsert", { name: "w".repeat(64), value: markup });
  await put("/admin/user-permissions/upsert", "model_pattern", 256, "pattern", { user_id: user.id });
  const team = await put("/admin/teams/upsert", "name", 128, "team");
  await api(page, "/admin/teams/members/add", { team_id: team.id, id: user.id });
  await put("/admin/teams/permissions/upsert", "model_pattern", 256, "allowed", { team_id: team.id });
  await put("/admin/sso-providers/upsert", "display_name", 64, "door", {
    name: "hostile",
    kind: "github",
    client_id: "x",
    client_secret: "y",
  });
  const { api_key } = await api(page, "/user/keys/generate", { label: "for calls" });
  const agent = encodeURI(name(200, ""))
    .replaceAll("%3C", "<")
    .replaceAll("%3E", ">")
    .replaceAll("%22", '"')
    .replaceAll("%20", " ");
  for (const model of [name(256, "asked"), "demo-small"]) {
    const answer = await page.request.post("/v1/chat/completions", {
      headers: { authorization: `Bearer ${api_key}`, "user-agent": agent, "x-tollgate-tags": "<script>alert(3)</script>" },
      data: { model, messages: [{ role: "user", content: markup }] },
    });
    expect(model === "demo-small" ? [200] : [400, 403, 404]).toContain(answer.status());
  }
  await addUser(page, "plain", "a password that is long enough"); // beside them, in the same lists
  const [{ id: request }] = await api(page, "/user/requests/query", { sort: "-id", limit: 1 });

  const more = ["", "?tab=keys", "?tab=rights", "?tab=usage", "?tab=security"].map(
    (tab) => `/console/admin/users/${user.id}${tab}`,
  );
  const all = [
    ...pages.map(({ path }) => path),
    ...more,
    `/console/admin/users/${own}?tab=security`,
    ...["", "?tab=rights", "?tab=usage"].map((tab) => `/console/admin/teams/${team.id}${tab}`),
    `/console/admin/providers/${provider.id}`,
    `/console/admin/requests/${request}`,
    `/console/requests/${request}`,
    `/console/playground?model=${encodeURIComponent(markup)}`,
    `/console/models?q=${encodeURIComponent(markup)}`,
    `/console/sign-in?next=${encodeURIComponent("javascript:alert(4)")}`,
  ];
  let seen = 0;
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 860 });
    for (const path of all) {
      await test.step(`${path} at ${width}`, async () => {
        await page.goto(path);
        await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
        await page.waitForLoadState("networkidle");
        const found = await page.evaluate(() => ({
          planted: document.querySelectorAll('img[src="x"], script:not([src])').length,
          over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          shown: document.body.textContent?.includes("onerror=alert(1)"),
        }));
        expect(found.planted, "markup became elements").toBe(0);
        expect(found.over, "the page is wider than the window").toBeLessThanOrEqual(0);
        if (found.shown) seen++;
      });
    }
  }
  console.log(`    hostile text was shown, as text, ${seen} times on ${all.length} pages in two widths`);
  expect(seen).toBeGreaterThan(10);
});
