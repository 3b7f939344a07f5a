import { api, call, expect, newestRow, type Page, signIn, testOn } from "./support";

// A provider that fails in every way that it can, and what the console shows of it.

const test = testOn('[upstream]\nidle_timeout = "1s"\n');

/** ways are how the demo vendor is told to fail, and what the list of requests says then. */
const ways = [
  { name: "an error", told: "[[demo:status=503]]", stream: false, shown: "503" },
  { name: "a cut stream", told: "[[demo:cut=3]]", stream: true, shown: "200 · upstream" },
  { name: "silence", told: "[[demo:silence=5s]]", stream: true, shown: "200 · timeout" },
] as const;

async function ask(page: Page, key: string, content: string, stream: boolean) {
  const answer = await page.request
    .post("/v1/chat/completions", {
      headers: { authorization: `Bearer ${key}` },
      data: { model: "demo-small", stream, messages: [{ role: "user", content }] },
    })
    .catch(() => null); // a stream that breaks off is an error to who reads it
  return answer?.status();
}

test("a provider that fails is seen in requests, overview and health", async ({ page }) => {
  test.setTimeout(90_000);
  await signIn(page);
  const { api_key } = await api(page, "/user/keys/generate", { label: "failing" });
  await api(page, "/admin/credentials/upsert", { provider_id: 1, label: "main", api_key: "sk-demo-credential-1" });
  expect(await call(page, api_key)).toBe(200);
  for (const { name, told, stream, shown } of ways) {
    await test.step(name, async () => {
      await ask(page, api_key, told, stream);
      await page.goto("/console/admin/requests");
      await expect(newestRow(page)).toContainText(shown);
      await newestRow(page).getByRole("link").click();
      await expect(page.getByText("Kind of error")).toBeVisible();
    });
  }
  expect(await ask(page, api_key, "[[demo:slow=300ms]][[demo:tokens=5]]", true)).toBe(200);
  await page.goto("/console/admin/requests?slow=1000");
  await expect(page.locator("tbody tr[data-index]")).toHaveCount(2); // the silent one and the slow one
  await page.goto("/console/admin/requests?status=broken");
  await expect(page.locator("tbody tr[data-index]")).toHaveCount(2);

  await page.goto("/console/admin/overview?range=1h");
  await expect(page.getByText("0 refused, 3 failed")).toBeVisible();
  await expect(page.getByRole("table", { name: "Providers" }).getByRole("row", { name: /demo/ })).toContainText("3");
  await expect(page.getByRole("table", { name: "Slowest requests" }).getByRole("row").first()).toContainText(/1\.\d s/);
  const health = page.getByRole("table", { name: "Credentials" });
  await expect(health).toContainText("ok"); // it has answered since

  await ask(page, api_key, "[[demo:status=500]]", false);
  await page.goto("/console/admin/overview?range=1h");
  await expect(health).toContainText("failing");
  await page.goto("/console/admin/providers/1");
  await expect(page.getByText(/failing/)).toBeVisible();
  expect(await call(page, api_key)).toBe(200);
  await page.goto("/console/admin/overview?range=1h");
  await expect(health).toContainText("ok");
});

test("a price that changes holds for the next call, and leaves the past as it was", async ({ page }) => {
  test.setTimeout(60_000);
  await signIn(page);
  const { api_key } = await api(page, "/user/keys/generate", { label: "prices" });
  const cost = async () => {
    expect(await call(page, api_key)).toBe(200);
    const [{ cost }] = await api(page, "/admin/requests/query", { sort: "-id", limit: 1 });
    return cost as number;
  };
  const before = await cost();
  // The model's own price goes before any pattern: it is changed where the model is.
  await api(page, "/admin/models/upsert", { id: 1, prices: { price_input_tokens: 1000, price_output_tokens: 2000 } });
  await page.goto("/console/admin/prices");
  await expect(page.getByRole("row", { name: /demo-small/ }).first()).toContainText("$2,000.00");
  const after = await cost();
  expect(after).toBeGreaterThan(100 * before);
  await page.goto("/console/admin/requests");
  await expect(newestRow(page)).toContainText(`$${after.toString().slice(0, 4)}`);

  await page.goto("/console/admin/prices");
  await page.getByRole("button", { name: "Price a past time anew" }).click();
  const dialog = page.getByRole("dialog", { name: "Price a past time anew" });
  await dialog.getByRole("button", { name: "Show the difference" }).click();
  await expect(dialog.getByText("Nothing would change.")).toBeVisible(); // a price holds from its time on
});
