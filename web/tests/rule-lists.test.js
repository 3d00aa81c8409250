// A rule that puts on lists what it finds: set up in the editor, read back in a sentence, seen on the list, taken off again
// when the flag was wrong, and kept among the versions of the rule.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, pictures } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  for (const [name, type, trusted] of [["Bad devices", "DEVICE", false], ["Bad users", "IDENTITY", false], ["Test devices", "DEVICE", true]]) {
    await dregs.call("POST", "/lists", { name, type, trusted });
  }
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

const valuesOf = async (slug) => {
  const { id } = (await dregs.call("GET", "/lists")).find((list) => list.slug === slug);
  return (await dregs.call("GET", `/lists/${id}/entries`)).content.map(({ value }) => value);
};
const chargeback = (user, device) => ({ type: "chargeback", identity: { id: user }, device: { fingerprint: device } });

test("a rule adds to lists what it finds, and says so in words", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/escalation-rules/new");
  await page.getByRole("textbox", { name: "Name" }).fill("Chargeback");
  const condition = page.getByRole("group", { name: "Condition 1", exact: true });
  await condition.getByLabel("Type of condition").selectOption("EVENT_IS");
  await condition.getByLabel("Events", { exact: true }).first().fill("chargeback");
  await page.keyboard.press("Enter");

  await page.getByRole("button", { name: "Add to a list" }).click();
  const addition = (n) => page.getByRole("group", { name: `Addition ${n}`, exact: true });
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await addition(1).getByText(/There is no list/).waitFor();
  // What is trusted is not offered.
  await addition(1).getByLabel("List", { exact: true }).first().click();
  assert.deepEqual(await page.getByRole("option").filter({ hasText: / devices$/ }).allTextContents(), ["Bad devices"]);
  await page.getByRole("option", { name: "Bad devices" }).click();
  await addition(1).getByLabel("For how long: unit").selectOption("86400");
  await addition(1).getByLabel("For how long", { exact: true }).fill("30");
  await page.getByRole("button", { name: "Add to a list" }).click();
  await addition(2).getByLabel("What").selectOption("PHONE");
  await addition(2).getByText(/No list of Phone numbers/).first().waitFor();
  await addition(2).getByLabel("What").selectOption("IDENTITY");
  await addition(2).getByLabel("List", { exact: true }).first().click();
  await page.getByRole("option", { name: "Bad users" }).click();
  await page.getByText(/when an escalation opens, its devices go on Bad devices for 30\sd and its id goes on Bad users\./).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "rule-lists-editor");
  await page.setViewportSize({ width: 1280, height: 900 });
  // The server has refused the first one, which the browser writes down.
  analyst.complaints.splice(0);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("link", { name: "Chargeback" }).first().waitFor();
  const made = (await dregs.call("GET", "/escalation-rules?pageSize=100")).content.find(({ name }) => name === "Chargeback");
  assert.deepEqual(made.addsToLists, [{ list: "bad-devices", what: "DEVICE", forSeconds: 2_592_000 }, { list: "bad-users", what: "IDENTITY" }]);

  await dregs.call("POST", "/events?wait=10000", chargeback("ada", "phone-of-ada"));
  await analyst.open("/settings/lists");
  await page.getByRole("link", { name: "Bad devices" }).click();
  const row = page.getByRole("row").filter({ hasText: "phone-of-ada" });
  await row.getByText("rule Chargeback").first().waitFor();
  await row.getByText(/Escalation \d+ of the rule “Chargeback”/).waitFor();
  await pictures(page, "rule-lists-list");
  await page.setViewportSize({ width: 1280, height: 900 });

  // Flagged wrongly, from her escalation.
  const { content } = await dregs.call("GET", "/escalations?identity=ada&status=OPEN");
  const { id } = content.find(({ escalationRule }) => escalationRule.label === "Chargeback");
  await dregs.call("PATCH", `/escalations/${id}`, { status: "CLOSED", outcome: "GOOD", reason: "A test purchase" });
  await eventually("her device to be off the list", async () => (await valuesOf("bad-devices")).length === 0);
  assert.deepEqual(await valuesOf("bad-users"), []);

  // To switch the rule off and on leaves what it adds.
  await analyst.open("/rules");
  const toggle = page.getByRole("switch", { name: "Chargeback is enabled" });
  for (const action of ["Disable", "Enable"]) {
    await toggle.click({ force: true });
    await page.getByRole("dialog").getByRole("button", { name: action, exact: true }).click();
    await eventually(`the rule to be ${action}d`, async () => (await dregs.call("GET", `/escalation-rules/${made.id}`)).enabled === (action === "Enable"));
  }
  assert.deepEqual((await dregs.call("GET", `/escalation-rules/${made.id}`)).addsToLists, made.addsToLists);

  await analyst.open(`/escalation-rules/${made.id}`);
  await page.getByRole("group", { name: "Version 1", exact: true }).getByText(/then its devices go on Bad devices/).waitFor();
  await page.getByRole("button", { name: "Remove addition 1" }).click();
  await page.getByRole("button", { name: "Save as draft" }).click();
  const differences = page.getByRole("list", { name: "Differences" }).first();
  await differences.getByText(/Adds to lists:/).waitFor();
  await pictures(page, "rule-lists-draft");
  assert.deepEqual(await analyst.barriers(), []);
  assert.deepEqual(analyst.complaints.splice(0), []);
});

test("a badge rule adds as well", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await dregs.call("POST", "/badge-rules", { name: "Fraud", type: "BAD", conditions: [{ type: "EVENT_IS", events: ["dispute"] }] });
  await analyst.open("/rules");
  await page.getByRole("link", { name: "Fraud" }).first().click();
  await page.getByRole("button", { name: "Add to a list" }).click();
  await page.getByRole("group", { name: "Addition 1" }).getByLabel("What").selectOption("IDENTITY");
  await page.getByRole("group", { name: "Addition 1" }).getByLabel("List", { exact: true }).first().click();
  await page.getByRole("option", { name: "Bad users" }).click();
  await page.getByText(/when the badge is given, its id goes on Bad users\./).waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await eventually("the rule to be saved", async () => (await dregs.call("GET", "/badge-rules?pageSize=100")).content.some(({ addsToLists }) => addsToLists.length === 1));
  await dregs.call("POST", "/events?wait=10000", { ...chargeback("eve", "phone-of-eve"), type: "dispute" });
  assert.deepEqual(await valuesOf("bad-users"), ["eve"]);
  assert.deepEqual(analyst.complaints.splice(0), []);
});
