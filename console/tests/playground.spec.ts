import { expect, signIn, test } from "./support";

const dot = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

test("the playground calls in every protocol and shows what went over the wire", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page);
  await page.goto("/console/playground?model=demo-small");
  for (const [name, path] of [
    ["OpenAI Chat", "POST /v1/chat/completions"],
    ["OpenAI Responses", "POST /v1/responses"],
    ["Anthropic Messages", "POST /v1/messages"],
    ["Gemini", "POST /v1beta/models/demo-small:streamGenerateContent?alt=sse"],
  ] as const) {
    await test.step(name, async () => {
      await page.getByRole("combobox", { name: "Protocol" }).click();
      await page.getByRole("option", { name }).click();
      await page.getByLabel("Message").fill(`Hello in ${name}`);
      const sent = page.waitForResponse((r) => r.url().includes("/user/playground/"));
      await page.getByRole("button", { name: "Send" }).click();
      expect((await sent).status()).toBe(200);
      await expect(page.getByText(/\d+ in, \d+ out/)).toBeVisible();
      await expect(page.getByText(/^\$0\.\d*[1-9]/)).toBeVisible();
      await expect(page.getByRole("tabpanel")).not.toContainText("no text");
      await page.getByRole("tab", { name: "Request" }).click();
      await expect(page.getByRole("tabpanel")).toContainText(path);
      await expect(page.getByRole("tabpanel")).toContainText(`Hello in ${name}`);
      await page.getByRole("tab", { name: "Response" }).click();
      await expect(page.getByRole("tabpanel")).toContainText("data: {");
      await page.getByRole("tab", { name: "Answer" }).click();
    });
  }
  await page.getByRole("button", { name: "Copy as curl" }).click();
  const curl = await page.evaluate(() => navigator.clipboard.readText());
  expect(curl).toContain("/v1beta/models/demo-small:streamGenerateContent?alt=sse'");
  expect(curl).not.toContain("/user/playground");
});

test("a tool and an image go along, and a refusal is shown as it came", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/playground?model=demo-small&dialect=anthropic");
  await page.getByRole("switch", { name: "Stream the answer" }).uncheck();
  await page.getByRole("switch", { name: "Offer a tool" }).check();
  await page.locator('input[type="file"]').setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: dot });
  await page.getByLabel("Message").fill("[[demo:tool]] What is the weather?");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("The model calls get_weather")).toBeVisible();
  await page.getByRole("tab", { name: "Request" }).click();
  await expect(page.getByRole("tabpanel")).toContainText('"input_schema"');
  await expect(page.getByRole("tabpanel")).toContainText('"media_type": "image/png"');

  await page.goto("/console/playground?model=no-such-model&dialect=gemini");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("alert")).toContainText("no-such-model");
  await expect(page.getByText("404", { exact: true })).toBeVisible();
});
