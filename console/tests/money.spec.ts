import { readFile } from "node:fs/promises";
import { api, expect, expectAccessible, signIn, spend, test } from "./support";

test("a list of prices is looked at before it is set", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/prices");
  await page.getByRole("button", { name: "Import a list" }).click();
  const dialog = page.getByRole("dialog", { name: "Import prices" });
  const field = dialog.getByLabel("Price list");
  const look = dialog.getByRole("button", { name: "Show what would change" });
  await field.fill("not json");
  await look.click();
  await expect(dialog.getByRole("alert")).toContainText("This is no price list");
  await field.fill('{"models": [{"model_id": "demo-small", "price_input": 1}]}');
  await look.click();
  await expect(dialog.getByRole("alert")).toContainText("price_input is no price key");
  const list = JSON.stringify({
    models: [{ model_id: "demo-small", price_input_tokens: 123.5, price_output_tokens: 321 }],
  });
  await dialog
    .locator("input[type=file]")
    .setInputFiles({ name: "p.json", mimeType: "application/json", buffer: Buffer.from(list) });
  await look.click();
  const row = dialog.getByRole("row").filter({ hasText: "demo-small" });
  await expect(row).toContainText("$123.50");
  await expect(row).toContainText("new price");
  await expectAccessible(page);
  const { length: before } = await api(page, "/admin/prices/query", { model_pattern: { eq: "demo-small" }, history: true });
  await dialog.getByRole("button", { name: "Set 1 price" }).click();
  await expect(dialog.getByText("1 price is in force.")).toBeVisible();
  const versions = await api(page, "/admin/prices/query", { model_pattern: { eq: "demo-small" }, history: true });
  expect(versions).toHaveLength(before + 1);
  await field.fill(list);
  await look.click();
  await expect(row).toContainText("in force already");

  await api(page, "/admin/prices/delete", { id: versions.at(-1).id });
});

test("a past time that is priced anew is on record", async ({ page }) => {
  await signIn(page);
  await spend(page);
  const find = async () => (await api(page, "/admin/models/query", { model_id: { eq: "demo-small" } }))[0];
  const { id, provider_id, model_id, prices } = await find();
  const set = (prices: object) => api(page, "/admin/models/upsert", { id, provider_id, model_id, prices });
  await set({ price_input_tokens: 5, price_output_tokens: 20 });
  const { price } = await find();
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const until = new Date(Date.now() + 60_000).toISOString();
  const reason = "the price was wrong";
  await api(page, "/admin/prices/re-rate", { since, until, price_version: price.version, reason, apply: true });
  await set(prices);
  await page.goto("/console/admin/corrections?tab=reratings");
  await expect(page.getByRole("row").filter({ hasText: reason }).first()).toContainText(/\d+ of \d+/);
  await expectAccessible(page);
});

test("a balance that was put right shows among the adjustments", async ({ page }) => {
  await signIn(page);
  const { id } = await api(page, "/admin/users/upsert", { name: "adjusted", password: "a password that is long enough" });
  await api(page, "/admin/user-quotas/upsert", { user_id: id, window: "month", quota: 10, cost_used: 2.5 });
  await page.goto("/console/admin/corrections");
  const row = page.getByRole("row").filter({ hasText: "adjusted" });
  await expect(row).toContainText("$2.50");
  await expect(row).toContainText("correction");
});

test("bodies are removed after one has said of which requests", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/requests");
  await page.getByRole("button", { name: "Remove bodies" }).click();
  const dialog = page.getByRole("dialog", { name: "Remove kept bodies" });
  await dialog.getByRole("radio", { name: "All" }).check();
  await dialog.getByRole("button", { name: "Remove bodies" }).click();
  const sure = page.getByRole("dialog", { name: "Remove for good?" });
  await expect(sure.getByRole("button", { name: "Remove bodies" })).toBeDisabled();
  await sure.getByLabel("Type CLEAR to confirm").fill("CLEAR");
  await sure.getByRole("button", { name: "Remove bodies" }).click();
  await expect(dialog.getByText(/^The bodies of \d+ requests? are gone\.$/)).toBeVisible();
  const entries = await api(page, "/admin/audit/query", { sort: "-id", limit: 5 });
  expect(entries.map(({ action }: { action: string }) => action)).toContain("payload.clear");
});

test("the audit is downloaded with the head of its chain", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/audit?target=session");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const lines = (await readFile(await (await saved).path(), "utf8")).trimEnd().split("\n");
  const { head } = JSON.parse(lines.at(-1) ?? "");
  await expect(page.getByRole("dialog", { name: "Downloaded" })).toContainText(head.hash);
  expect(lines.slice(0, -1).every((line) => JSON.parse(line).target === "session")).toBe(true);
});
