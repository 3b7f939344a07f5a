import { test } from "@playwright/test";
import { expect } from "../support";
import { drive, enter, enterAgain, github, me, outside, save, someone, theAdmin, welcome } from "./providers";

test.beforeAll(async () => {
  const boss = await theAdmin();
  await save(boss, github, { sign_up: true, allowed_domains: ["example.com"] });
});

test("an account at GitHub that was renamed is the same account here", async ({ browser }) => {
  const page = await enter(browser, github, "henry");
  await welcome(page, "henry");
  const { id } = await me(page);
  await drive(page, { rename: "henry", to: "harry" });
  await enterAgain(page, github, "harry");
  await welcome(page, "henry");
  expect((await me(page)).id).toBe(id);
});

test("an address that GitHub has not verified opens no account", async ({ browser }) => {
  await outside(await enter(browser, github, "unproven"), "belongs to none of the domains");
});

test("members of the organisation come in, whatever page it is on; who is only invited does not", async ({ browser }) => {
  const boss = await theAdmin();
  const page = await someone(browser);
  for (const allowed of ["the-org", "the-org/platform"]) {
    await save(boss, github, { allowed_orgs: [allowed] });
    await enterAgain(page, github, "member");
    await welcome(page, "member");
    await enterAgain(page, github, "invited");
    await outside(page, "none of the organisations");
  }
  await save(boss, github, { allowed_orgs: [] });
});

const troubles: [string, string][] = [
  ["rate_limited", "takes no more requests for now"],
  ["revoked", "cannot be reached or answers what it should not"],
  ["down", "cannot be reached or answers what it should not"],
];
for (const [trouble, text] of troubles) {
  test(`${trouble}: the person is told that it is not their fault`, async ({ browser }) => {
    const boss = await theAdmin();
    await drive(boss, { trouble });
    const page = await enter(browser, github, "iris");
    await outside(page, text);
    await drive(boss, { trouble: "" });
    await enterAgain(page, github, "iris");
    await welcome(page, "iris");
  });
}

test("an application that GitHub has suspended is said", async ({ browser }) => {
  const boss = await theAdmin();
  await drive(boss, { suspend: "true" });
  await outside(await enter(browser, github, "iris"), "application_suspended");
  await drive(boss, { suspend: "false" });
});
