import { api, expect, expectAccessible, signIn, test } from "./support";

const document = `[[users]]
name = "conny"
email = "conny@example.com"

[[users.keys]]
label = "laptop"
needs_secret = true
models = ["demo-*"]

[[model_aliases]]
alias = "swift"
model_id = "demo-small"
`;

test("a document is planned, applied, and taken back by its version", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/config");
  const field = page.getByLabel("Document", { exact: true });

  await field.fill('[[users]]\nname = "conny"\nmail = "x"\n');
  await page.getByRole("button", { name: "Show what would change" }).click();
  await expect(page.getByRole("alert")).toContainText('unknown key "mail"');
  await page.getByRole("button", { name: "Line 3" }).click();
  await expect(field).toBeFocused();
  expect(await field.evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd))).toBe(
    'mail = "x"',
  );

  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "team.toml", mimeType: "application/toml", buffer: Buffer.from(document) });
  await expect(field).toHaveValue(document);
  await page.getByRole("button", { name: "Show what would change" }).click();
  const changes = page.getByRole("list", { name: "Changes" });
  await expect(changes.getByRole("listitem").filter({ hasText: "user conny" })).toContainText("conny@example.com");
  await expect(changes.getByRole("listitem").filter({ hasText: "key conny/laptop" })).toContainText("demo-*");
  await expect(page.getByText("These get no secret")).toBeVisible();
  await page.getByText(/^Stays/).click(); // what is here and not in the document is shown, and left alone
  await expect(changes.getByRole("listitem").filter({ hasText: "user admin" })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("link", { name: "Home" }).first().click(); // a plan is not lost by a slip
  await page.getByRole("button", { name: "Go on editing" }).click();
  await page.getByRole("button", { name: "Apply 3 changes" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("3 new, 0 changed, 0 deleted.")).toBeVisible();
  expect(await api(page, "/admin/users/query", { name: { eq: "conny" } })).toHaveLength(1);

  await page.getByRole("link", { name: /^Look at version/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: /^Version \d+$/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "Difference" })).toContainText('name = "conny"');
  await expectAccessible(page);
  await page.getByRole("button", { name: "Go back to before it" }).click();
  const dialog = page.getByRole("dialog", { name: /^Go back to before version/ });
  await expect(dialog.getByRole("listitem").filter({ hasText: "user conny" })).toContainText("Deleted");
  await dialog.getByRole("button", { name: "Apply 3 changes" }).click();
  await page.getByRole("dialog", { name: "Apply 3 changes?" }).getByRole("button", { name: "Apply" }).click();
  await expect(dialog).toBeHidden();
  expect(await api(page, "/admin/users/query", { name: { eq: "conny" } })).toHaveLength(0);
  await page.goto("/console/admin/config?tab=history");
  await expect(page.getByText(/^going back to/).first()).toBeVisible();
});

test("records that move under a plan are noticed, and it is planned again", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/config");
  await page.getByLabel("Document", { exact: true }).fill('[[model_aliases]]\nalias = "moving"\nmodel_id = "demo-small"\n');
  await page.getByRole("button", { name: "Show what would change" }).click();
  await expect(page.getByRole("button", { name: "Apply 1 change" })).toBeVisible();
  const { id } = await api(page, "/admin/model-aliases/upsert", { alias: "meanwhile", target: "demo-small" });
  await page.getByRole("button", { name: "Apply 1 change" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("The records have changed since", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("button", { name: "Apply 1 change" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("1 new, 0 changed, 0 deleted.")).toBeVisible();
  await api(page, "/admin/model-aliases/delete", { id });
});

test("an export with secrets is encrypted, and the same document opens it again", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/config");
  await page.getByRole("button", { name: "Export" }).click();
  const dialog = page.getByRole("dialog", { name: "Export the configuration" });
  await expect(dialog.getByRole("region", { name: "Document" })).toContainText('name = "admin"');
  await dialog.getByLabel("With secrets, encrypted").check();
  await dialog.getByLabel("Passphrase", { exact: true }).fill("a passphrase of an export");
  await dialog.getByLabel("Passphrase again").fill("another one");
  await expect(dialog.getByText("The two are not the same.")).toBeVisible();
  await dialog.getByLabel("Passphrase again").fill("a passphrase of an export");
  await dialog.getByRole("button", { name: "Encrypt" }).click();
  await expect(dialog.getByText("The export is encrypted.")).toBeVisible();
  const saved = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Save tollgate.toml.age" }).click();
  const file = await (await saved).path();
  await page.keyboard.press("Escape");

  await page.locator("input[type=file]").setInputFiles(file);
  await page.getByLabel("Passphrase").fill("a wrong passphrase");
  await page.getByRole("button", { name: "Show what would change" }).click();
  await expect(page.getByRole("alert")).toContainText(/passphrase/i);
  await page.getByLabel("Passphrase").fill("a passphrase of an export");
  await page.getByRole("button", { name: "Show what would change" }).click();
  await expect(page.getByText("Nothing would change")).toBeVisible();
});

test("a place is added, pushed to, pulled from, and a change there is not overwritten unasked", async ({ page }) => {
  await signIn(page);
  await page.goto("/console/admin/config?tab=places");
  await page.getByRole("button", { name: "Add a place" }).first().click();
  for (const [name, location] of [
    ["git", "shared/tollgate.toml"],
    ["elsewhere", "shared/tollgate.toml"], // the same file, as another gateway would write it
  ] as const) {
    const drawer = page.getByRole("dialog", { name: "Add a place" });
    await drawer.getByLabel("Name").fill(name);
    await drawer.getByLabel("Path").fill("../outside.toml");
    await drawer.getByRole("button", { name: "Save" }).click();
    await expect(drawer.getByText(/below \[server\] sync_folder/)).toBeVisible();
    await drawer.getByLabel("Path").fill(location);
    await drawer.getByRole("button", { name: "Save" }).click();
    await expect(drawer).toBeHidden();
    if (name === "git") await page.getByRole("button", { name: "Add a place" }).click();
  }
  const git = page.getByRole("region", { name: "git" });
  await git.getByRole("button", { name: "Test" }).click();
  await expect(git.getByText("Nothing there yet")).toBeVisible();
  await git.getByRole("button", { name: "Push" }).click();
  await expect(page.getByText("Pushed to git")).toBeVisible();
  await git.getByRole("button", { name: "Test" }).click();
  await expect(git.getByText("In step")).toBeVisible();
  await expectAccessible(page);

  await api(page, "/admin/model-aliases/upsert", { alias: "there", target: "demo-small" });
  const other = page.getByRole("region", { name: "elsewhere" });
  await other.getByRole("button", { name: "Push" }).click(); // it has never seen the file
  await page.getByRole("dialog", { name: "Changed at elsewhere" }).getByRole("button", { name: "Replace it" }).click();
  await expect(page.getByText("Pushed to elsewhere")).toBeVisible();

  const [{ id }] = await api(page, "/admin/model-aliases/query", { alias: { eq: "there" } });
  await api(page, "/admin/model-aliases/delete", { id });
  await git.getByRole("button", { name: "Push" }).click();
  await page.getByRole("dialog", { name: "Changed at git" }).getByRole("button", { name: "Pull and look" }).click();
  const pull = page.getByRole("dialog", { name: "Pull from git" });
  await expect(pull.getByRole("listitem").filter({ hasText: "alias there" })).toContainText("New");
  await expectAccessible(page);
  await pull.getByRole("button", { name: "Apply 1 change" }).click();
  await page.getByRole("dialog", { name: "Apply 1 change?" }).getByRole("button", { name: "Apply" }).click();
  await expect(pull).toBeHidden();
  expect(await api(page, "/admin/model-aliases/query", { alias: { eq: "there" } })).toHaveLength(1);

  await page.getByRole("button", { name: "Actions: git" }).click();
  await page.getByRole("menuitem", { name: "Versions" }).click();
  await expect(page.getByRole("dialog", { name: "Versions at git" }).getByText("present", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Actions: elsewhere" }).click();
  await page.getByRole("menu", { name: "Actions: elsewhere" }).getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(other).toBeHidden();
});
