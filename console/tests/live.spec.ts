import { api, expect, signIn, test } from "./support";

test("a call appears in the live list while it runs, and its end too", async ({ page }) => {
  await signIn(page);
  const { api_key } = await api(page, "/user/keys/generate", { label: "live" });
  const watching = page.waitForResponse((r) => r.url().endsWith("/admin/requests/live"));
  await page.goto("/console/admin/requests?live=on&model=demo-large");
  await watching;
  const table = page.getByRole("region", { name: "Requests" }).or(page.getByRole("table", { name: "Requests" }));
  await expect(table.getByText("demo-large")).toHaveCount(0);
  const answer = page.request.post("/v1/chat/completions", {
    headers: { authorization: `Bearer ${api_key}` },
    data: { model: "demo-large", stream: true, messages: [{ role: "user", content: "[[demo:tokens=8]][[demo:slow=400ms]]" }] },
  });
  await expect(page.getByLabel("running")).toBeVisible({ timeout: 2_000 });
  expect((await answer).status()).toBe(200);
  await expect(page.getByLabel("running")).toHaveCount(0);
  await expect(page.getByRole("row").filter({ hasText: "demo-large" })).toContainText("200");
});
