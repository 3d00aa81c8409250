// A ring is banned from the page of one of its members: what is nobody's own is held back, a rule is made that asks, and
// the ban is undone, by the notice and by the audit log.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, pictures } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

const RING = ["ada", "bob", "eve", "joe", "kim"];
const DEVICE = "0123456789abcdef0123456789abcdef";
const HOME = "198.51.100.7";
const WORK = "203.0.113.7";
const BOB = { email: "bob@example.com", password: "a long password" };

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const at = (id, ip, more = {}) => ({ type: "user.signup", ip, identity: { id, data: { name: `${id} ${id}mann`, email: `${id}@posteo.de` } }, ...more });
  const device = { fingerprint: DEVICE };
  await dregs.call("POST", "/events/batch", [
    ...RING.map((id) => at(id, HOME, { device })),
    at("kim", WORK, { device }),
    at("zoe", HOME),
    ...[..."abcdefghijkl"].map((letter) => at(`office${letter}`, WORK)),
  ]);
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  const invitation = await dregs.call("POST", "/team/invitations", { email: BOB.email, role: "USER" }, token);
  await dregs.call("POST", "/auth/accept-invitation", { token: invitation.token, name: "Bob", password: BOB.password });
  await eventually("the ring to be found", async () => (await dregs.call("GET", "/identities/eve/ring")).members.length === RING.length);
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

const isBanned = async (id) => (await dregs.call("GET", `/identities/${id}`)).badges.some(({ slug }) => slug === "banned");

async function until(ids, expected) {
  for (const id of ids) await eventually(`${id} to be banned: ${expected}`, async () => (await isBanned(id)) === expected);
}

test("a ring is banned with the rule that asks, and the ban is undone", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const dialog = page.getByRole("dialog", { name: "Ban this ring" });
  await analyst.open("/identities/eve?tab=links");
  await page.getByRole("button", { name: "Ban this ring…" }).click();
  await dialog.getByText("5 identities in the ring").waitFor();
  const box = (value) => dialog.getByRole("checkbox", { name: value, exact: true });
  assert.equal(await box(DEVICE).isChecked(), true);
  assert.equal(await box(HOME).isChecked(), false, "zoe has it as well");
  assert.equal(await box(WORK).count(), 0, "an office's address cannot be chosen");
  await dialog.getByText(/Cannot be banned: 12 others have it, as in an office or a network/).waitFor();
  await dialog.getByText("5 of the ring have it, and 1 other.").waitFor();
  await dialog.getByText(/hits nobody outside the ring now/).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  assert.deepEqual(await analyst.cut(), []);
  await pictures(page, "ring-bans-choice");
  await box(HOME).check();
  await dialog.getByText("1 chosen value may hit others").waitFor();
  await pictures(page, "ring-bans-others");
  await box(HOME).uncheck();
  await dialog.getByText("No enabled rule uses Banned devices").waitFor();
  await dialog.getByRole("textbox", { name: "Comment" }).fill("Five accounts, one device");
  await pictures(page, "ring-bans-effect");
  // The device, five identities and their e-mail addresses.
  await dialog.getByRole("button", { name: "Ban 11 values" }).click();
  const notice = page.getByText("11 values are banned. The badge rule Banned uses the lists.");
  await notice.waitFor();
  await pictures(page, "ring-bans-notice");
  await until(RING, true);
  assert.equal(await isBanned("officea"), false);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText(/^11 entries are removed from/).waitFor();
  await until(RING, false);

  await page.setViewportSize({ width: 1280, height: 900 });
  await page.getByRole("button", { name: "Ban this ring…" }).click();
  await dialog.getByRole("button", { name: "Ban 11 values" }).waitFor();
  assert.equal(await dialog.getByText(/No enabled rule uses/).count(), 0, "there is one now");
  await dialog.getByRole("button", { name: "Ban 11 values" }).click();
  await page.getByText("11 values are banned.", { exact: true }).waitFor();
  await until(RING, true);
  await analyst.open("/settings/audit-log?action=ring.ban");
  const undo = page.getByRole("button", { name: "Undo…" });
  assert.equal(await undo.count(), 1, "what was undone is not offered again");
  await undo.click();
  const question = page.getByRole("dialog", { name: "Undo “Ring banned”?" });
  await question.getByText(/^11 entries will be removed from/).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "ring-bans-undo");
  await question.getByRole("button", { name: "Undo", exact: true }).click();
  await question.waitFor({ state: "detached" });
  await eventually("nothing to undo", async () => (await undo.count()) === 0);
  const bans = page.locator("[aria-label='Audit log'] tr:has(> [data-title=Action])");
  await eventually("both to say who undid them", async () => (await bans.getByText(/^Undone by admin@example.com/).count()) === 2);
  assert.match(await bans.first().innerText(), /Banned devices: 1 added/);
  await bans.first().getByRole("link", { name: "Undone" }).click();
  await eventually("the one entry", async () => (await bans.count()) === 1);
  assert.match(await bans.innerText(), /Change of lists undone[^]*Undone: Ring banned; Banned [^;]+: \d removed; Banned /);
  await bans.getByRole("link", { name: /Audit entry/ }).click();
  await eventually("the ban", async () => /\tRing banned\t/.test(await bans.innerText()));
  await page.getByRole("button", { name: /^Entry \d+$/ }).click();
  await eventually("all", async () => (await bans.count()) > 3);
  await until(RING, false);
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "ring-bans-log");
  await analyst.leave();
});

test("whoever answers for somebody sees on which lists she is, and takes her off or undoes the whole ban", async () => {
  const keys = [{ type: "DEVICE", value: DEVICE }, { type: "IDENTITY", value: "kim" }];
  await dregs.call("POST", "/identities/eve/actions/ban-ring", { keys, comment: "Five accounts, one device" });
  const analyst = await Analyst.arrive(chrome, dregs, { as: BOB });
  const { page } = analyst;
  await analyst.open("/identities/kim?tab=lists");
  const rows = page.locator("[aria-label=Lists] tbody tr");
  await eventually("both entries", async () => (await rows.count()) === 2);
  const [device, person] = await rows.allInnerTexts();
  for (const said of ["Banned devices", DEVICE, "Five accounts, one device", "Banned"]) assert.ok(device.includes(said), `${said}: ${device}`);
  assert.ok(person.includes("Banned identities") && person.includes("kim"), person);
  assert.deepEqual(await analyst.barriers(), []);
  assert.deepEqual(await analyst.cut(), []);
  await pictures(page, "identity-lists");
  await rows.nth(1).getByRole("button", { name: "Remove…" }).click();
  await page.getByRole("dialog", { name: "Remove kim?" }).getByRole("button", { name: "Remove" }).click();
  await eventually("she to be off one", async () => (await rows.count()) === 1);
  await page.getByRole("button", { name: "Undo the ban…" }).click();
  const question = page.getByRole("dialog", { name: "Undo the ban of the whole ring?" });
  await question.getByText(/^1 entry will be removed from .*1 entry was changed or removed since/).waitFor();
  await question.getByRole("button", { name: "Undo", exact: true }).click();
  await page.getByText("On no list").waitFor();
  await until(RING, false);
  await analyst.leave();
});

test("what was banned without a rule has one in a step; a label says what somebody stays on", async () => {
  const { content } = await dregs.call("GET", "/badge-rules?pageSize=100");
  const rule = content.find(({ name }) => name === "Banned");
  if (rule) await dregs.call("DELETE", `/badge-rules/${rule.id}?force=true`);
  await dregs.call("POST", "/identities/eve/actions/ban-ring", { keys: [{ type: "DEVICE", value: DEVICE }] });
  await dregs.call("POST", "/identities/joe/actions/label", { outcome: "GOOD" });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/identities/eve?tab=links");
  await page.getByRole("button", { name: "Ban this ring…" }).click();
  const dialog = page.getByRole("dialog", { name: "Ban this ring" });
  await dialog.getByText("5 identities in the ring; 1 labeled good and left out").waitFor();
  await dialog.getByText("joe@posteo.de").waitFor();
  for (const heading of ["E-mail addresses", "Identities"]) {
    const box = dialog.getByRole("checkbox", { name: heading, exact: true });
    if (await box.isChecked()) await box.uncheck();
    else await box.check().then(() => box.uncheck());
  }
  await dialog.getByText("No enabled rule uses Banned devices").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "ring-bans-rule");
  await dialog.getByRole("button", { name: "Create the rule" }).click();
  await page.getByText("The badge rule Banned uses the lists.").waitFor();
  await until(["eve", "kim"], true);

  await analyst.open("/identities/kim");
  await page.getByRole("button", { name: "Label" }).click();
  await page.getByRole("menuitem", { name: /label as good/i }).click();
  await page.getByRole("dialog").getByText("It stays on Banned devices").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "label-stays");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Add to a list…" }).click();
  const add = page.getByRole("dialog", { name: "Add to a list" });
  await add.getByLabel("List", { exact: true }).selectOption({ label: "Banned devices" });
  await add.getByRole("textbox", { name: "Value" }).fill(DEVICE);
  await add.getByText("It is on the list already:").waitFor();
  await analyst.leave();
});
