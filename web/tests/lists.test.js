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
  await dialog.getByText("1 added, 0 changed, 0 unchanged.").waitFor();
  await dialog.getByText(/Line 3: endsAt must be an RFC 3339 time/).waitFor();
  assert.equal(await isReady(), false);
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "lists-import");
  await table.fill(`${DEVICE},The lab\nother\n`);
  assert.equal(await isReady(), false, "what was changed is to be looked at again");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByText("2 added, 0 changed, 0 unchanged.").waitFor();
  await dialog.getByRole("button", { name: "Import", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  const entries = page.getByRole("group", { name: "Entries" });
  await entries.getByRole("row").filter({ hasText: DEVICE }).getByText("The lab").waitFor();
  for (const id of RING) assert.ok((await uniqueness(id)) < 60, "a list that is not trusted helps nobody");

  await page.getByRole("switch", { name: "Trusted" }).click();
  await page.getByText("Test devices is trusted.").waitFor();
  await pictures(page, "lists-list");
  for (const id of RING) await eventually(`${id} to be judged anew`, async () => (await uniqueness(id)) >= 60);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open("/identities/ada");
  await page.getByText(`${DEVICE} is on the trusted list "Test devices".`).first().waitFor();

  await analyst.open("/settings/lists");
  await page.getByRole("link", { name: "Test devices" }).waitFor();
  await pictures(page, "lists-all");
  await page.getByRole("link", { name: "Test devices" }).click();
  await page.getByRole("searchbox").or(page.getByRole("textbox", { name: "Search values" })).first().fill("0123");
  await entries.getByRole("row").filter({ hasText: "other" }).waitFor({ state: "detached" });
  await entries.getByRole("button", { name: "Remove…" }).click();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("No matching entries").waitFor();
  for (const id of RING) await eventually(`${id} to be suspected again`, async () => (await uniqueness(id)) < 60);
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
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "lists-add");
  await dialog.getByRole("button", { name: "Add" }).click();
  await page.getByText("It is added to the list.").waitFor();
  const { content } = await dregs.call("GET", `/lists/${made.id}/entries`);
  assert.deepEqual(content.map(({ value, comment }) => [value, comment]), [["bob@posteo.de", "One of five"]]);
  await analyst.leave();
});
