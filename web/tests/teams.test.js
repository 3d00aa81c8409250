// More than one team: made by an owner, switched between, renamed and deleted, and joined by somebody who has an account.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

/** The team switch that is shown: there is one for each size of window. */
const switchOf = (page) => page.getByRole("button", { name: /^Team: / }).locator("visible=true");
const event = (user) => ({ type: "user.signup", identity: { id: user, data: { email: `${user}@mail.example` } } });

test("an owner makes a team, switches to it and back, renames and deletes it", async () => {
  const found = [];
  await dregs.call("POST", "/events", event("ada"));
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  assert.equal(await switchOf(page).count(), 0, "there is one team, and nothing to switch");
  await analyst.open("/settings/teams");
  assert.ok(await page.getByRole("button", { name: "Delete Default" }).isDisabled());
  await page.getByRole("button", { name: "New team…" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("default");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("There is a team with this name.").waitFor();
  analyst.complaints.splice(0);
  await page.getByRole("textbox", { name: "Name" }).fill("Staging");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("dialog", { name: "Team Staging created" }).waitFor();
  const secret = /sk_[0-9a-f]+/.exec(await page.getByRole("dialog").innerText())[0];
  await analyst.looksRight(found, "teams-made");
  await page.getByRole("button", { name: "I have saved it" }).click();
  await switchOf(page).waitFor();
  await analyst.looksRight(found, "teams");

  // By keys alone, and the place stays: the page of somebody of the other team gives way to the list.
  await analyst.open("/identities/ada");
  await switchOf(page).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Staging" }).waitFor();
  await analyst.looksRight(found, "teams-switch");
  await page.getByRole("menuitem", { name: "Staging" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Team: Staging. Switch team" }).locator("visible=true").waitFor();
  assert.equal(new URL(page.url()).pathname, "/identities");
  await analyst.settled();
  assert.equal(await page.getByText("ada@mail.example").count(), 0);
  await analyst.open("/settings/credentials");
  const [{ publicKey }] = await page.evaluate(() => fetch("/api/credentials").then((answer) => answer.json()));
  await page.getByText(publicKey).first().waitFor();

  // It begins with nothing but its keys, as the first team did.
  await analyst.open("/");
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.match(await page.locator("main").innerText(), /first event/i);
  await analyst.looksRight(found, "teams-begins");
  await dregs.call("POST", "/events", event("bea"), secret);
  await analyst.open("/identities");
  await page.getByText("bea@mail.example").first().waitFor();

  // Another tab of the browser follows.
  const other = await analyst.context.newPage();
  await other.goto(`${dregs.url}/identities`);
  await other.getByText("bea@mail.example").first().waitFor();
  await switchOf(page).click();
  await page.getByRole("menuitem", { name: "Default" }).click();
  await page.getByText("ada@mail.example").first().waitFor();
  await other.getByText("ada@mail.example").first().waitFor();
  await other.close();

  await analyst.open("/settings/teams");
  await page.getByRole("button", { name: "Rename Staging" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Test");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.getByRole("button", { name: "Delete Test" }).click();
  const remove = page.getByRole("button", { name: "Delete the team" });
  assert.ok(await remove.isDisabled(), "its name is not typed");
  await page.getByRole("textbox", { name: "Type “Test” to delete it" }).fill("Test");
  await analyst.looksRight(found, "teams-delete");
  await remove.click();
  await page.getByText("Test is deleted.").waitFor();
  await switchOf(page).waitFor({ state: "detached" });
  await eventually("the key to end", async () => dregs.call("GET", "/team", undefined, secret).then(() => false, () => true));
  assert.deepEqual(found, []);
  await analyst.leave();
});

test("on a phone and in the dark the team is shown and switched as well", async () => {
  const found = [];
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  await dregs.call("POST", "/teams", { name: "A customer with quite a long name, Incorporated" }, token);
  for (const colorScheme of ["light", "dark"]) {
    const analyst = await Analyst.arrive(chrome, dregs, { colorScheme, viewport: { width: 390, height: 800 } });
    await analyst.open("/identities");
    await switchOf(analyst.page).waitFor();
    await analyst.looksRight(found, `teams-phone-${colorScheme}`);
    await switchOf(analyst.page).click();
    await analyst.page.getByRole("menuitem", { name: /^A customer/ }).waitFor();
    await analyst.looksRight(found, `teams-phone-${colorScheme}-open`);
    await analyst.open("/settings/teams");
    await analyst.looksRight(found, `teams-phone-${colorScheme}-settings`);
    await analyst.leave();
    const desk = await Analyst.arrive(chrome, dregs, { colorScheme });
    await desk.open("/settings/teams");
    await desk.looksRight(found, `teams-desk-${colorScheme}`);
    await desk.leave();
  }
  assert.deepEqual(found, []);
});

test("somebody who has an account joins another team with its password", async () => {
  const found = [];
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  const made = await dregs.call("POST", "/teams", { name: "Shop" }, token);
  const invitation = await dregs.call("POST", "/team/invitations", { email: "ada@example.com", role: "ADMIN" }, token);
  const password = "a long password of ada";
  await dregs.call("POST", "/auth/accept-invitation", { token: invitation.token, name: "Ada", password });
  await dregs.call("PUT", "/auth/session/team", { teamId: made.id }, token);
  const another = await dregs.call("POST", "/team/invitations", { email: "ada@example.com", role: "VIEWER" }, token);

  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await page.goto(`${dregs.url}/accept-invitation#${another.token}`);
  await page.getByRole("heading", { name: "Join Shop" }).waitFor();
  await analyst.looksRight(found, "teams-join");
  await page.locator("input[type=password]").fill("another password");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText(/^The e-mail address or the password is wrong\./).waitFor();
  analyst.complaints.splice(0);
  await page.locator("input[type=password]").fill(password);
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("button", { name: "Team: Shop. Switch team" }).locator("visible=true").waitFor();
  await switchOf(page).click();
  assert.equal(await page.getByRole("menuitem").count(), 2, "who is no owner manages no teams");
  await page.keyboard.press("Escape");
  await analyst.open("/settings/account");
  assert.equal(await page.getByRole("link", { name: "Teams", exact: true }).count(), 0);
  assert.deepEqual(found, []);
  await analyst.leave();
});
