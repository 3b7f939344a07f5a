import { addUser, api, call, expect, expectAccessible, signIn, test } from "./support";

const secret = "a long enough password";

test("an admin of a team manages it, and nobody else sees the page", async ({ page, browser, baseURL }) => {
  test.setTimeout(90_000);
  await signIn(page);
  const { id: team } = await api(page, "/admin/teams/upsert", { name: "Crew" });
  await api(page, "/admin/teams/permissions/upsert", { team_id: team, model_pattern: "demo-*" });
  await api(page, "/admin/quotas/upsert", { team_id: team, quota: 100, window: "month" });
  const lead = await addUser(page, "skipper", secret);
  const { id: mate } = await api(page, "/admin/users/upsert", { name: "sailor", password: secret });
  await api(page, "/admin/teams/members/add", { team_id: team, id: lead, team_role: "admin" });
  await api(page, "/admin/teams/members/add", { team_id: team, id: mate });

  const theirs = await browser.newPage({ baseURL, locale: "en-US" });
  await signIn(theirs, "sailor", secret);
  await expect(theirs.getByRole("link", { name: "My team" })).toBeHidden();
  await theirs.goto("/console/team");
  await expect(theirs.getByRole("heading", { level: 1, name: "My team" })).toBeHidden();
  await theirs.close();

  const context = await browser.newContext({ baseURL, locale: "en-US", reducedMotion: "reduce" });
  const mine = await context.newPage();
  await signIn(mine, "skipper", secret);
  await mine.getByRole("link", { name: "My team" }).click();
  await expect(mine.getByRole("heading", { level: 1, name: "My team" })).toBeVisible();
  await expect(mine.getByText("demo-*")).toBeVisible();
  await expect(mine.getByRole("button", { name: "Actions: skipper" })).toBeHidden();
  await mine.waitForLoadState("networkidle");
  await expectAccessible(mine);

  await mine.getByRole("button", { name: "Actions: sailor" }).click();
  await mine.getByRole("menuitem", { name: "Make a key" }).click();
  const drawer = mine.getByRole("dialog", { name: "New key" });
  await drawer.getByLabel("Label").fill("evaluation");
  await drawer.getByRole("button", { name: "Create a key" }).click();
  const shown = mine.getByRole("dialog", { name: "The new key" });
  const key = await shown.getByLabel("API key").inputValue();
  await shown.getByRole("button").last().click();
  expect(await call(mine, key)).toBe(200);

  await mine.getByRole("tab", { name: "Keys" }).click();
  await expect(mine.getByText("evaluation")).toBeVisible();
  await expect(mine.getByText("the team", { exact: true })).toBeVisible();
  await expectAccessible(mine);
  await mine.getByRole("button", { name: "Actions: evaluation" }).click();
  await mine.getByRole("menuitem", { name: "Deactivate" }).click();
  await mine.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
  await expect.poll(() => call(mine, key)).toBe(401);

  await mine.getByRole("tab", { name: "Usage" }).click();
  await expect(mine.getByRole("heading", { name: "By member, the last 30 days" })).toBeVisible();
  await mine.waitForLoadState("networkidle");
  await expectAccessible(mine);

  await mine.getByRole("tab", { name: "Invitations" }).click();
  await mine.getByRole("button", { name: "Invite somebody" }).first().click();
  const form = mine.getByRole("dialog", { name: "Invite somebody" });
  await expect(form.getByLabel("Administrator")).toBeHidden();
  await form.getByLabel("Who it is for").fill("a cabin boy");
  await form.getByRole("button", { name: "Invite somebody" }).click();
  const made = mine.getByRole("dialog", { name: "The link" });
  const link = await made.getByLabel("The link").inputValue();
  await made.getByRole("button").last().click();
  await expectAccessible(mine);

  const guest = await browser.newPage({ baseURL, locale: "en-US" });
  await guest.goto(link);
  await expect(guest.getByText("You will be in the team Crew.")).toBeVisible();
  await guest.getByLabel("User name").fill("cabin-boy");
  await guest.getByLabel(/^Password/).fill(secret);
  await guest.getByRole("button", { name: "Create the account" }).click();
  await expect(guest.getByText("The account is there.")).toBeVisible();
  await guest.close();

  await mine.getByRole("tab", { name: "Members" }).click();
  await mine.getByRole("button", { name: "Actions: sailor" }).click();
  await mine.getByRole("menuitem", { name: "Take out of the team" }).click();
  await mine.getByRole("dialog").getByRole("button", { name: "Take out of the team" }).click();
  await expect(mine.getByRole("button", { name: "Actions: sailor" })).toBeHidden();
  await expect(mine.getByRole("button", { name: "Actions: cabin-boy" })).toBeVisible();
  await context.close();
});

test("the page of an invitation offers the sign-in providers", async ({ page, browser, baseURL }) => {
  await signIn(page);
  const { url } = await api(page, "/admin/invitations/create", { label: "a stowaway" });
  const context = await browser.newContext({ baseURL, locale: "en-US" });
  const guest = await context.newPage();
  const sent: unknown[] = [];
  await guest.route("**/auth/providers", (route) =>
    route.fulfill({
      json: {
        sso_only: false,
        providers: [{ name: "corp", title: "Corp login", kind: "oidc", login_url: "/auth/sso/corp/login" }],
      },
    }),
  );
  await guest.route("**/auth/invitation/sign-in", (route) => {
    sent.push(route.request().postDataJSON());
    return route.fulfill({ json: { ok: true, url: "/console/sign-in?error=back+from+corp" } });
  });
  await guest.goto(url);
  await expect(guest.getByLabel("User name")).toBeVisible();
  await expectAccessible(guest);
  await guest.getByRole("button", { name: "Continue with Corp login" }).click();
  await expect(guest.getByText("back from corp")).toBeVisible();
  expect(sent).toEqual([{ token: url.split("#")[1], provider: "corp" }]);
  await context.close();
});
