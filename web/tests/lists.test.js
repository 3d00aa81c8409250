// Lists of the team's own, as an admin works with them: one is made, filled from a table, trusted, and whom it concerns
// is judged anew; what somebody shows is put on a list from their page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, pictures } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

const RING = ["ada", "bob", "eve", "joe", "kim"];
const DEVICE = "0123456789abcdef0123456789abcdef";

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const signUp = (id) => ({ type: "user.signup", identity: { id, data: { name: `${id} ${id}mann`, email: `${id}@posteo.de` } }, device: { fingerprint: DEVICE } });
  await dregs.call("POST", "/events/batch", RING.map(signUp));
  for (const id of RING) await eventually(`${id} to be seen with the others`, async () => (await uniqueness(id)) < 60);
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

const uniqueness = async (id) => (await dregs.call("GET", `/identities/${id}`)).uniquenessScore ?? 100;

test("a list is made, filled from a table and trusted, and those on it are judged anew", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const dialog = page.getByRole("dialog");
  await analyst.open("/settings/lists");
  await page.getByText("No lists yet").waitFor();
  await page.getByRole("button", { name: "New list…" }).click();
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("Enter a name.").waitFor();
  await dialog.getByRole("textbox", { name: "Name" }).fill("Test devices");
  await dialog.getByLabel("Type").selectOption("DEVICE");
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "Test devices" }).waitFor();
  await page.getByText("Nothing is on this list").waitFor();

  // A table is looked at first, and said by line what is wrong with it.
  await page.getByRole("button", { name: "Import CSV…" }).click();
  const table = dialog.getByRole("textbox", { name: "Table" });
  const isReady = () => dialog.getByRole("button", { name: "Import", exact: true }).isEnabled();
  await table.fill(`value,comment,endsAt\n${DEVICE},The lab,\nother,,never\n`);
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByText("The other lines would add 1 entry, change 0; 0 are on the list already.").waitFor();
  await dialog.getByText(/Line 3: endsAt must be an RFC 3339 time/).waitFor();
  assert.equal(await isReady(), false);
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "lists-import");
  await table.fill(`${DEVICE},The lab\nother\n`);
  assert.equal(await isReady(), false, "what was changed is to be looked at again");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByText("Adds 2 entries, changes 0; 0 are on the list already.").waitFor();
  await dialog.getByText("Rescores 5 of 5 identities.").waitFor();
  await dialog.getByRole("button", { name: "Import", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  const entries = page.getByRole("group", { name: "Entries" });
  await entries.getByRole("row").filter({ hasText: DEVICE }).getByText("The lab").waitFor();
  for (const id of RING) assert.ok((await uniqueness(id)) < 60, "a list that is not trusted helps nobody");

  // Whom it concerns is said first, whether the switch is clicked or has the keys, and nothing happens until it is confirmed.
  const trusted = page.getByRole("switch", { name: "Trusted" });
  const isTrusted = async () => (await dregs.call("GET", "/lists"))[0].trusted;
  for (const change of [() => trusted.click(), () => trusted.press("Space")]) {
    await change();
    await dialog.getByText("Rescores 5 of 5 identities.").waitFor();
    assert.deepEqual([await isTrusted(), await trusted.isChecked()], [false, false]);
    assert.deepEqual(await analyst.barriers(), []);
    await pictures(page, "lists-trust");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
  }
  assert.equal(await isTrusted(), false);
  const trust = async () => {
    await trusted.click();
    await dialog.getByText("Rescores 5 of 5 identities.").waitFor();
    await dialog.getByRole("button", { name: "Trust", exact: true }).click();
    await page.getByText("Test devices is trusted.").waitFor();
    for (const id of RING) await eventually(`${id} to be judged anew`, async () => (await uniqueness(id)) >= 60);
  };
  const undo = async () => {
    await page.getByRole("button", { name: "Undo" }).last().click();
    await page.getByText("Undone.").first().waitFor();
  };
  await trust();
  await undo();
  for (const id of RING) await eventually(`${id} to be suspected as before`, async () => (await uniqueness(id)) < 60);
  await trust();
  await pictures(page, "lists-list");
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open("/identities/ada");
  await page.getByText(`${DEVICE} is on the trusted list "Test devices".`).first().waitFor();

  await analyst.open("/settings/lists");
  await page.getByRole("link", { name: "Test devices" }).waitFor();
  await page.getByRole("link", { name: "Test devices" }).click();
  await page.getByRole("searchbox").or(page.getByRole("textbox", { name: "Search values" })).first().fill("0123");
  await entries.getByRole("row").filter({ hasText: "other" }).waitFor({ state: "detached" });
  const remove = async () => {
    await entries.getByRole("button", { name: "Remove…" }).click();
    await dialog.getByText("Rescores 5 of 5 identities.").waitFor();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("No matching entries").waitFor();
  };
  await remove();
  await page.getByRole("alert").filter({ hasText: "is removed." }).getByRole("button", { name: "Undo" }).click();
  await entries.getByRole("row").filter({ hasText: DEVICE }).getByText("The lab").waitFor();
  await remove();
  for (const id of RING) await eventually(`${id} to be suspected again`, async () => (await uniqueness(id)) < 60);
  await analyst.leave();
});

test("a list is renamed, an entry is added and a list deleted with what that means said before", async () => {
  const made = await dregs.call("POST", "/lists", { name: "Kiosks", type: "DEVICE", description: "In shops" });
  const rule = { name: "Kiosk", severity: "INFO", conditions: [{ type: "IN_LIST", fact: "device", list: "kiosks" }] };
  const adds = { name: "Shop", severity: "INFO", conditions: [{ type: "EVENT_IS", events: ["paid"] }], addsToLists: [{ list: "kiosks", what: "DEVICE" }] };
  for (const one of [rule, adds]) await dregs.call("POST", "/escalation-rules", one);
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const dialog = page.getByRole("dialog");
  // A name has a line of its own.
  await analyst.open("/settings/lists");
  const [name, description] = await Promise.all([page.getByRole("link", { name: "Kiosks" }), page.getByText("In shops")].map((text) => text.boundingBox()));
  assert.ok(name.y + name.height <= description.y + 1, JSON.stringify([name, description]));
  await pictures(page, "lists-all");
  await page.getByRole("link", { name: "Kiosks" }).click();
  await page.getByRole("button", { name: "Edit…" }).click();
  await dialog.getByRole("textbox", { name: "Name" }).fill("Points of sale");
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Points of sale" }).waitFor();
  assert.deepEqual(
    Object.entries(await dregs.call("GET", `/lists/${made.id}`)).filter(([name]) => ["name", "slug", "description"].includes(name)).map(([, value]) => value),
    ["kiosks", "Points of sale", "In shops"],
  );

  // A value is added, and taken back.
  await page.getByRole("textbox", { name: "Value" }).fill(DEVICE);
  await page.getByRole("button", { name: "Add…" }).click();
  await dialog.getByText("Rescores 5 of 5 identities.").waitFor();
  await dialog.getByText("Used by Kiosk.").waitFor();
  assert.equal((await dregs.call("GET", `/lists/${made.id}`)).entryCount, 0);
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(`${DEVICE} is added.`).waitFor();
  assert.equal((await dregs.call("GET", `/lists/${made.id}`)).entryCount, 1);
  await page.getByRole("alert").filter({ hasText: "is added." }).getByRole("button", { name: "Undo" }).click();
  await page.getByText("1 entry is removed from").waitFor();
  assert.equal((await dregs.call("GET", `/lists/${made.id}`)).entryCount, 0);

  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog.getByText("No identity is rescored.").waitFor();
  await dialog.getByText("Used by Kiosk.").waitFor();
  await dialog.getByText("Added to by Shop.").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "lists-delete");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("Points of sale is deleted.").waitFor();
  await analyst.leave();
});

test("who may create lists and has none is led to where they are created, and a device is put on one from its page", async () => {
  for (const { id } of await dregs.call("GET", "/lists")) await dregs.call("DELETE", `/lists/${id}`);
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const dialog = page.getByRole("dialog", { name: "Add to a list" });
  await analyst.open(`/devices/${DEVICE}`);
  await page.getByRole("button", { name: "Add to a list…" }).click();
  await dialog.getByText("There is no list yet.").waitFor();
  await dialog.getByRole("link", { name: "Create one" }).click();
  await page.getByText("No lists yet").waitFor();
  const made = await dregs.call("POST", "/lists", { name: "Cheats", type: "DEVICE" });
  await analyst.open(`/devices/${DEVICE}`);
  await page.getByRole("button", { name: "Add to a list…" }).click();
  assert.equal(await dialog.getByRole("textbox", { name: "Value" }).inputValue(), DEVICE);
  await dialog.getByText("Rescores 5 of 5 identities.").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "lists-add-device");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("It is added to the list.").waitFor();
  const { content } = await dregs.call("GET", `/lists/${made.id}/entries`);
  assert.deepEqual(content.map(({ value }) => value), [DEVICE]);
  await analyst.leave();
});

test("what somebody shows is put on a list from their page", async () => {
  const made = await dregs.call("POST", "/lists", { name: "Known cheats", type: "EMAIL" });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/identities/bob");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Add to a list…" }).click();
  const dialog = page.getByRole("dialog", { name: "Add to a list" });
  await dialog.getByLabel("List").selectOption({ label: "Known cheats (e-mail addresses)" });
  assert.equal(await dialog.getByRole("textbox", { name: "Value" }).inputValue(), "bob@posteo.de");
  await dialog.getByRole("textbox", { name: "Comment" }).fill("One of five");
  await dialog.getByText("Rescores 1 of 5 identities.").waitFor();
  await dialog.getByText("No enabled rule uses this list").waitFor();
  await dialog.getByLabel("Ends").fill("2101-02-03T04:05");
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "lists-add");
  await dialog.getByRole("button", { name: "Add" }).click();
  await page.getByText("It is added to the list.").waitFor();
  const { content } = await dregs.call("GET", `/lists/${made.id}/entries`);
  assert.deepEqual(content.map(({ value, comment, endsAt }) => [value, comment, endsAt.slice(0, 7)]), [["bob@posteo.de", "One of five", "2101-02"]]);
  await analyst.leave();
});
