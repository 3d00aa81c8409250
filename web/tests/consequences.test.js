// Changes that have others scored again: what they do is said before, nothing happens until it is confirmed, and what
// was done can be undone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { Receiver } from "./receiver.js";
import { browser, Dregs, eventually } from "./support.js";

const RING = ["ring-1", "ring-2", "ring-3", "ring-4"];
const DEVICE = "0123456789abcdef0123456789abcdef";

let dregs, chrome, receiver;

before(async () => {
  receiver = await Receiver.open();
  dregs = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8" });
  chrome = await browser();
  await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "Shop", events: ["IDENTITY_SCORED"], config: { url: receiver.url } });
  const signUp = (id, n) => ({ type: "user.signup", identity: { id, data: { name: `Kim Lee ${n}`, email: `${id}@posteo.de` } }, device: { fingerprint: DEVICE } });
  await dregs.call("POST", "/events/batch", RING.map(signUp));
  for (const id of RING) await eventually(`${id} to be seen with the others`, async () => (await uniqueness(id)) < 60);
  await quiet();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  receiver?.close();
});

const uniqueness = async (id) => (await dregs.call("GET", `/identities/${id}`)).uniquenessScore ?? 100;
const authenticity = async (id) => (await dregs.call("GET", `/identities/${id}`)).authenticityScore ?? 100;

/** Waits until nobody waits to be scored, and nothing to be sent. */
async function quiet() {
  await eventually("everything to be done", async () => {
    const { evaluation, delivery } = await dregs.call("GET", "/system");
    return evaluation.waiting === 0 && delivery.waiting === 0;
  });
}

test("disregarding a device, and counting it again, says whose scores change and what is sent", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/devices/${DEVICE}`);
  for (const [action, is] of [["Disregard", (score) => score >= 60], ["Stop disregarding", (score) => score < 60]]) {
    const sent = receiver.taken.length;
    const before = await Promise.all(RING.map(uniqueness));
    await desk.getByRole("button", { name: `${action}…` }).click();
    const dialog = desk.getByRole("dialog", { name: `${action} this device?` });
    for (const id of RING) await dialog.getByRole("row").filter({ has: desk.locator(`a[href="/identities/${id}"]`) }).getByLabel("to").first().waitFor();
    await dialog.getByText(/^4 × Identity scored to Shop$/).waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    await quiet();
    assert.deepEqual([await Promise.all(RING.map(uniqueness)), receiver.taken.length], [before, sent]);

    await desk.getByRole("button", { name: `${action}…` }).click();
    await dialog.getByText(/^4 × Identity scored to Shop$/).waitFor();
    await dialog.getByRole("button", { name: action, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    for (const id of RING) await eventually(`${id} after “${action}”`, async () => is(await uniqueness(id)));
    await quiet();
    assert.equal(receiver.taken.length, sent + 4);
  }
  await analyst.leave();
});

test("an entry of a dataset is added and removed with a count before it, and each can be undone", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const own = async () => (await dregs.call("GET", "/datasets/disposable-email-domains/entries?scope=CUSTOMER")).content;
  const falls = (id) => eventually(`${id} to fall`, async () => (await authenticity(id)) < 50);
  const rises = (id) => eventually(`${id} to rise`, async () => (await authenticity(id)) > 60);
  const undo = async () => {
    await desk.getByRole("button", { name: "Undo" }).click();
    await desk.getByText("Undone.").first().waitFor();
  };
  await analyst.open("/settings/datasets?dataset=disposable-email-domains");
  const dialog = desk.getByRole("dialog");
  // What cannot be added is said at its field.
  await desk.getByRole("textbox", { name: "Domain" }).fill("no domain");
  await desk.getByRole("button", { name: "Add…" }).click();
  await desk.getByText("Must be a domain").waitFor();
  await dialog.waitFor({ state: "detached" });
  assert.match(String(analyst.complaints.splice(0)), /^[^,]*status of 400[^,]*$/);

  await desk.getByRole("textbox", { name: "Domain" }).fill("posteo.de");
  await desk.getByRole("textbox", { name: "Note" }).fill("seen");
  await desk.getByRole("button", { name: "Add…" }).click();
  await dialog.getByText("Rescores 4 of 4 identities.").waitFor();
  await dialog.getByText(/Each rescoring is sent to Shop/).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(await own(), []);

  const add = async () => {
    await desk.getByRole("button", { name: "Add…" }).click();
    await dialog.getByText("Rescores 4 of 4 identities.").waitFor();
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await falls("ring-1");
  };
  await add();
  await undo();
  assert.deepEqual(await own(), []);
  await rises("ring-1");

  await desk.getByRole("textbox", { name: "Domain" }).fill("posteo.de");
  await desk.getByRole("textbox", { name: "Note" }).fill("seen");
  await add();
  // There is one by now.
  await desk.getByRole("textbox", { name: "Domain" }).fill("posteo.de");
  await desk.getByRole("button", { name: "Add…" }).click();
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await desk.getByText("There is an entry for this value").waitFor();
  assert.match(String(analyst.complaints.splice(0)), /^[^,]*status of 409[^,]*$/);

  const remove = desk.getByRole("row").filter({ hasText: "posteo.de" }).getByRole("button", { name: "Remove…" });
  await remove.click();
  await dialog.getByText("Rescores 4 of 4 identities.").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await rises("ring-1");
  await desk.getByRole("alert").filter({ hasText: "posteo.de is removed." }).getByRole("button", { name: "Undo" }).click();
  await eventually("it to be there again", async () => (await own()).length === 1);
  const [{ value, included, note }] = await own();
  assert.deepEqual([value, included, note], ["posteo.de", true, "seen"]);
  await falls("ring-1");
  await analyst.leave();
});
