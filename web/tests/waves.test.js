// Many escalations at once: a wave is found, decided on and taken back; and a rule is put off for one identity.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

const DEVICE = "0123456789abcdef0123456789abcdef";
const RING = ["ring-1", "ring-2", "ring-3", "ring-4", "ring-5"];

let dregs, chrome, rule;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const below = [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }];
  rule = await dregs.call("POST", "/escalation-rules", { name: "Shared device", severity: "CRITICAL", conditions: below });
  const signUp = (id, name) => ({
    type: "user.signup", identity: { id, data: { name, email: `${id}@posteo.de` } }, session: id, ip: "203.0.113.7", device: { fingerprint: DEVICE },
  });
  await dregs.call("POST", "/events/batch", RING.map((id, n) => signUp(id, `Kim Lee ${n + 1}`)));
  await eventually("an escalation of each", async () => (await open()).length === RING.length);
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

async function open() {
  return (await dregs.call("GET", `/escalations?rule=${rule.id}&status=OPEN&sort=openedAt&order=ASC`)).content;
}

const badges = async (id) => (await dregs.call("GET", `/identities/${id}`)).badges.map(({ slug }) => slug);
const isBad = async (id) => (await badges(id)).includes("confirmed-bad");
const wave = (desk) => desk.getByRole("region", { name: `Wave: the device ${DEVICE}` });

test("a wave is looked at, closed and labeled in one step that says what it does, and undone", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/escalations?rule=${rule.id}`);
  await desk.getByRole("navigation", { name: "Whose" }).getByRole("link", { name: "Waves" }).click();
  await wave(desk).getByText("5 identities share the device").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await wave(desk).getByRole("link", { name: "Look at them" }).click();
  await desk.getByRole("button", { name: /^Sharing the device/ }).waitFor();
  await eventually("the five", async () => (await desk.getByRole("listbox", { name: "Escalations" }).getByRole("option").count()) === 5);

  await desk.getByRole("button", { name: "Act on all 5…" }).click();
  const dialog = desk.getByRole("dialog");
  await dialog.getByText(/^5 escalations of 5 identities/).waitFor();
  await dialog.getByRole("radio", { name: "Close" }).check();
  await dialog.getByRole("radio", { name: "Bad", exact: true }).check();
  await dialog.getByRole("radio", { name: "Duplicate" }).check();
  await dialog.getByRole("combobox", { name: "Reason" }).fill("One person.");
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Close and label as bad" }).click();
  await desk.getByText("Closed, labeled bad (duplicate): 5 escalations.").waitFor();
  assert.equal((await open()).length, 0);
  for (const id of RING) assert.ok(await isBad(id), id);

  await desk.getByRole("button", { name: "Undo" }).click();
  await desk.getByText("Undone: 5 escalations.").waitFor();
  assert.equal((await open()).length, 5);
  for (const id of RING) assert.ok(!(await isBad(id)), id);
  await desk.getByRole("button", { name: /^Sharing/ }).click();
  await eventually("the filter to be gone", async () => !desk.url().includes("shares"));
  await analyst.leave();
});

test("those that are selected, by key or by click, are acted on together, and no other", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/escalations?rule=${rule.id}&by=oldest`);
  const rows = desk.getByRole("listbox", { name: "Escalations" }).getByRole("option");
  const selected = desk.getByRole("option", { checked: true });
  await eventually("the five", async () => (await rows.count()) === 5);
  await desk.keyboard.press("x");
  await desk.keyboard.press("j");
  await desk.keyboard.press("x");
  await desk.getByRole("button", { name: "Act on 2 selected…" }).waitFor();
  // From the last one to this one.
  await rows.nth(3).getByTitle("Select (x)").click({ modifiers: ["Shift"] });
  await eventually("four", async () => (await selected.count()) === 4);
  assert.deepEqual(await analyst.barriers(), []);
  await desk.getByRole("button", { name: "Select none" }).click();
  await eventually("none", async () => (await selected.count()) === 0);
  const ids = await Promise.all([0, 2].map((at) => rows.nth(at).getAttribute("id")));
  for (const at of [0, 2]) await rows.nth(at).getByTitle("Select (x)").click();
  const focused = () => desk.evaluate(() => document.activeElement.value);
  for (const [key, act, to] of [["m", "ASSIGN", "me"], ["u", "ASSIGN", "none"], ["a", "ACKNOWLEDGED"]]) {
    await desk.keyboard.press(key);
    const asked = desk.getByRole("dialog", { name: "Act on 2 selected" });
    await eventually(`the focus of ${key}`, async () => (await focused()) === act);
    if (to) assert.equal(await asked.getByLabel("To", { exact: true }).inputValue(), to, key);
    await desk.keyboard.press("Escape");
    await asked.waitFor({ state: "detached" });
  }
  // What several cannot be given is not taken for something else.
  for (const [key, said] of [["s", "Snooze one at a time"], ["o", "That cannot be done"]]) {
    await desk.keyboard.press(key);
    await desk.getByText(said).waitFor();
    assert.equal(await desk.getByRole("dialog").count(), 0, key);
  }
  // A key acts on these, and not on the one that is looked at.
  await desk.keyboard.press("j");
  await desk.keyboard.press("c");
  const dialog = desk.getByRole("dialog", { name: "Act on 2 selected" });
  assert.ok(await dialog.getByRole("radio", { name: "Close" }).isChecked());
  await dialog.getByText(/^2 escalations of 2 identities/).waitFor();
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
  await desk.getByText("Closed: 2 escalations.").waitFor();
  const left = (await open()).map(({ id }) => `escalation-${id}`);
  assert.deepEqual([left.length, ids.filter((id) => left.includes(id))], [3, []]);
  // The key undoes what was done last.
  await desk.keyboard.press("z");
  await desk.getByText("Undone: 2 escalations.").waitFor();
  assert.equal((await open()).length, 5);
  await desk.setViewportSize({ width: 390, height: 844 });
  await rows.nth(3).click();
  const detail = desk.getByRole("button", { name: /^Close/ }).first();
  await eventually("what was tapped to be in sight", async () => (await detail.boundingBox())?.y < 500);
  await analyst.leave();
});

test("what was done to many stays to be undone where the waves are, and in the audit log", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/escalations?view=waves");
  await wave(desk).getByRole("button", { name: "Act on all 5…" }).click();
  await desk.getByRole("dialog").getByRole("radio", { name: "Assign" }).check();
  await desk.getByRole("dialog").getByRole("button", { name: "Assign" }).click();
  await desk.getByText(`Assigned to ${ADMIN.email}: 5 escalations.`).waitFor();
  await wave(desk).getByText(/5 assigned/).waitFor();
  const changes = desk.getByRole("group", { name: "Changes of many escalations" });
  const row = changes.getByRole("row").filter({ hasText: `Assigned to ${ADMIN.email}` });
  await row.getByRole("button", { name: "Undo…" }).click();
  await desk.getByRole("dialog").getByRole("button", { name: "Undo" }).click();
  await row.getByText("Undone").waitFor();
  await changes.getByRole("row").filter({ hasText: "Closed, labeled bad" }).getByText("Undone").waitFor();
  assert.ok((await open()).every(({ assignee }) => assignee === null));
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open("/settings/audit-log");
  await desk.getByRole("row", { name: /Change of many escalations undone/ }).first().waitFor();
  await analyst.leave();
});

test("a rule is snoozed for one identity by a key, and woken on its page", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const [{ id, identity }] = await open();
  await analyst.open(`/escalations?rule=${rule.id}&escalation=${id}`);
  await desk.getByRole("region", { name: /^Escalation of / }).getByRole("button", { name: "Snooze…" }).waitFor();
  await desk.keyboard.press("s");
  const dialog = desk.getByRole("dialog");
  await dialog.getByRole("radio", { name: "30 days" }).check();
  await dialog.getByRole("textbox", { name: "Reason" }).fill("On holiday.");
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Snooze" }).click();
  await desk.getByText(/^“Shared device” is snoozed for /).waitFor();
  assert.equal((await dregs.call("GET", `/escalations/${id}`)).closeReason, "On holiday.");
  assert.equal((await open()).length, 4);
  await analyst.open(`/identities/${identity.id}?tab=escalations`);
  const snoozed = desk.getByRole("group", { name: "Snoozed rules" });
  await snoozed.getByText(/opens nothing until/).waitFor();
  await snoozed.getByText(/On holiday\./).waitFor();
  await snoozed.getByRole("button", { name: "End the snooze of Shared device" }).click();
  await eventually("another one", async () => (await open()).length === 5);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});

test("the first page says how fast and how alike people decide", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/");
  const decisions = desk.getByRole("region", { name: "Decisions" });
  await decisions.getByText("Median").first().waitFor();
  await decisions.getByRole("group", { name: "By person" }).getByRole("row").nth(1).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});
