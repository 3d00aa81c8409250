// What somebody types, is told and asks for is in sight: not under a message, below an edge, or gone with a form.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

const RING = ["ring-1", "ring-2", "ring-3"];
const DESK = { viewport: { width: 1440, height: 900 } };

let dregs, chrome, rule;

const open = async () => (await dregs.call("GET", `/escalations?rule=${rule.id}&status=OPEN`)).content;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  rule = await dregs.call("POST", "/escalation-rules", {
    name: "Shared device", severity: "CRITICAL", conditions: [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }],
  });
  await dregs.call("POST", "/events/batch", RING.map((id, n) => ({
    type: "user.signup", identity: { id, data: { name: `Kim Lee ${n}`, email: `${id}@posteo.de` } }, session: id, ip: "203.0.113.7",
    device: { fingerprint: "0123456789abcdef0123456789abcdef" },
  })));
  await eventually("an escalation of each", async () => (await open()).length === RING.length);
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  for (const [name, role] of [["bob", "USER"], ["vera", "VIEWER"]]) {
    const invitation = await dregs.call("POST", "/team/invitations", { email: `${name}@example.com`, role }, token);
    await dregs.call("POST", "/auth/accept-invitation", { token: invitation.token, name, password: "a long password" });
  }
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

/** Whether what is at the middle of an element, as somebody sees it, is the element. */
const isSeen = (locator) => locator.evaluate((element) => {
  const { left, top, width, height } = element.getBoundingClientRect();
  const there = document.elementFromPoint(left + width / 2, top + height / 2);
  return there !== null && (element.contains(there) || there.contains(element));
});

test("a note is typed in sight while the last move is told, and offers others who work", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, DESK);
  const { page: desk } = analyst;
  await analyst.open(`/escalations?rule=${rule.id}`);
  const history = desk.getByRole("region", { name: "History" });
  await history.getByText("Opened by Shared device").waitFor();
  await desk.keyboard.press("a");
  await desk.getByRole("button", { name: "Undo" }).waitFor();
  await history.getByText("Opened by Shared device").waitFor();
  await desk.keyboard.press("t");
  await desk.keyboard.type("see @");
  const offered = desk.getByRole("group", { name: "Mention" }).getByRole("button");
  await offered.first().waitFor();
  assert.deepEqual(await offered.allInnerTexts(), ["bob"]);
  await eventually("the field in sight", () => isSeen(history.getByLabel("Note")));
  await eventually("who is offered in sight", () => isSeen(offered.first()));
  assert.equal(await history.getByLabel("Note").inputValue(), "see @");
  await analyst.leave();
});

test("as bad, one closes the others of a person along with it, if they say so", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, DESK);
  const { page: desk } = analyst;
  const second = await dregs.call("POST", "/escalation-rules", { ...rule, id: undefined, createdAt: undefined, updatedAt: undefined, name: "The same again" }).catch(() => undefined);
  assert.ok(second, "a second rule");
  await eventually("its escalations", async () => (await dregs.call("GET", `/escalations?rule=${second.id}&status=OPEN`)).content.length === RING.length);
  const [{ id, identity }] = await open();
  await analyst.open(`/escalations?rule=${rule.id}&escalation=${id}`);
  await desk.getByRole("button", { name: "Close…" }).waitFor();
  await desk.keyboard.press("c");
  const dialog = desk.getByRole("dialog");
  await dialog.getByLabel("And 1 other open escalation of the same identity").check();
  await dialog.getByRole("radio", { name: "Bad" }).check();
  await dialog.getByRole("button", { name: "Close and label as bad" }).click();
  const left = async () => (await dregs.call("GET", `/escalations?identity=${identity.id}&status=ACTIVE`)).content.length;
  await eventually("both to be closed", async () => (await left()) === 0);
  await desk.getByRole("button", { name: "Undo" }).click();
  await eventually("both to be open again", async () => (await left()) === 2);
  await analyst.leave();
});

test("what is missing in a long form is shown, and rules are offered to a channel that is told of escalations", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, DESK);
  const { page: desk } = analyst;
  await analyst.open("/settings/channels");
  await desk.getByRole("button", { name: "New channel…" }).click();
  const dialog = desk.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("App");
  await dialog.getByRole("textbox", { name: "URL" }).fill("https://hooks.example.com/dregs");
  await dialog.getByRole("button", { name: "Create" }).click();
  const missing = dialog.getByText("Select at least one: without any, nothing is sent.");
  await missing.waitFor();
  await eventually("what is missing in sight", () => isSeen(missing));
  await dialog.getByRole("checkbox", { name: "Escalation opened" }).check();
  await dialog.getByRole("checkbox", { name: "Shared device" }).check();
  await dialog.getByRole("button", { name: "Create" }).click();
  await desk.locator("[data-secret]").waitFor();
  assert.deepEqual((await dregs.call("GET", `/escalation-rules/${rule.id}`)).channels, ["app"]);
  await analyst.leave();
});

test("a built-in value is excluded in its row", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, DESK);
  const { page: desk } = analyst;
  await analyst.open("/settings/datasets?dataset=disposable-email-domains&term=yopmail.com");
  await desk.getByRole("button", { name: "Exclude yopmail.com", exact: true }).click();
  await desk.getByRole("dialog").getByRole("button", { name: "Exclude" }).click();
  await desk.getByText("yopmail.com is excluded.").waitFor();
  const entries = await dregs.call("GET", "/datasets/disposable-email-domains/entries?scope=CUSTOMER");
  assert.deepEqual(entries.content.map(({ value, included }) => [value, included]), [["yopmail.com", false]]);
  await analyst.leave();
});

test("a badge rule is back-tested by its own delays", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, DESK);
  const { page: desk } = analyst;
  const given = await dregs.call("POST", "/badge-rules", { name: "Sharing", type: "NEUTRAL", conditions: [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }] });
  await analyst.open(`/badge-rules/${given.id}`);
  const tested = desk.getByRole("region", { name: "Back-test" });
  await tested.getByText(/How often it would have given its badge/).waitFor();
  await tested.getByRole("button", { name: "Run" }).click();
  await tested.getByRole("img", { name: `${RING.length} badges given in 91 days` }).waitFor();
  assert.match(await tested.innerText(), new RegExp(`Badges given\\s+${RING.length}\\s`));
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});

test("a draft says what differs, and what was back-tested stays when it is saved", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, DESK);
  const { page: desk } = analyst;
  await analyst.open(`/escalation-rules/${rule.id}`);
  const tested = desk.getByRole("region", { name: "Back-test" });
  await tested.getByRole("button", { name: "Run" }).click();
  await tested.getByText("Evaluated").waitFor();
  await desk.getByRole("textbox", { name: "Name" }).fill("Shared devices");
  await desk.getByRole("button", { name: "Save as draft" }).click();
  const draft = desk.getByRole("region", { name: "Draft beside this rule" });
  const differences = draft.getByRole("list", { name: "Differences" });
  assert.equal((await differences.innerText()).trim(), "Name: Shared device Shared devices");
  await tested.getByText("Evaluated").waitFor();
  await draft.getByRole("button", { name: "Put in force…" }).click();
  await desk.getByRole("dialog").getByRole("list", { name: "Differences" }).waitFor();
  await analyst.leave();
});
