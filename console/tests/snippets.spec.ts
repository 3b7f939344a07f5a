import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, signIn, test } from "./support";

const run = promisify(execFile);

test("the lines to paste that come with a new key name this gateway, and the curl one answers as it stands", async ({
  page,
  baseURL,
}) => {
  await signIn(page);
  await page.goto("/console/keys");
  await page.getByRole("button", { name: "Create a key" }).first().click();
  await page.getByRole("dialog", { name: "New key" }).getByRole("button", { name: "Create a key" }).click();
  const key = await page.getByLabel("API key", { exact: true }).inputValue();
  await page.getByRole("combobox", { name: "Model", exact: true }).click();
  await page.getByRole("option", { name: "demo-small" }).click();
  const dialog = page.getByRole("dialog", { name: "Your new key" });
  const text = async (name: string) => {
    await dialog.getByRole("tab", { name }).click();
    return (await dialog.getByRole("region", { name }).textContent()) ?? "";
  };
  for (const [name, base] of [
    ["OpenAI SDK", `base_url="${baseURL}/v1"`],
    ["Anthropic SDK", `base_url="${baseURL}"`],
    ["Gemini SDK", `base_url="${baseURL}"`],
    ["Claude Code", `ANTHROPIC_BASE_URL=${baseURL}\n`],
    ["Codex", `base_url = "${baseURL}/v1"`],
    ["Gemini CLI", `GOOGLE_GEMINI_BASE_URL=${baseURL}\n`],
  ] as const) {
    const lines = await text(name);
    expect(lines, name).toContain(base);
    expect(lines, name).toContain(key);
    expect(lines, name).toContain("demo-small");
  }
  const { stdout } = await run("sh", ["-c", await text("curl")]);
  expect(JSON.parse(stdout)).toMatchObject({ object: "chat.completion", model: "demo-small" });
});
