// What people decide of identities: by keys alone in the queue, after a preview on a page, and taken back again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

const RING = ["ring-1", "ring-2", "ring-3", "ring-4", "ring-5"];
/** Works at the same office, and has used the device that is there for everybody. */
const INNOCENT = "ina";
const ALL = [...RING, INNOCENT];
const SAYS = "<img src=x onerror=alert(1)> knows her";

let dregs, chrome, rule;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const below = [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }];
  await dregs.call("POST", "/badge-rules", { name: "Multiple accounts", type: "BAD", conditions: below });
  rule = await dregs.call("POST", "/escalation-rules", { name: "Shared device", severity: "CRITICAL", conditions: below });
  const signUp = (id, name) => ({
    type: "user.signup", identity: { id, data: { name, email: `${id}@posteo.de` } }, session: id, ip: "203.0.113.7",
    device: { fingerprint: "0123456789abcdef0123456789abcdef" },
  });
  await dregs.call("POST", "/events/batch", [...RING.map((id, n) => signUp(id, `Kim Lee ${n + 1}`)), signUp(INNOCENT, "Ina Svensson")]);
  for (const id of ALL) await eventually(`the escalation of ${id}`, async () => (await escalations(id)).some(({ status }) => status === "OPEN"));
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

const identity = (id) => dregs.call("GET", `/identities/${id}`);
const labels = (id) => dregs.call("GET", `/identities/${id}/labels`);
const slugs = async (id) => (await identity(id)).badges.map(({ slug }) => slug);

async function escalations(id) {
  return (await dregs.call("GET", `/escalations?rule=${rule.id}&identity=${id}`)).content;
}

/** All that a label could change. */
async function everything() {
  return Promise.all(ALL.map(async (id) => [await identity(id), await escalations(id), await labels(id)]));
}

/** Rows of the queue; fields have options, too. */
const rows = (desk, hasText) => desk.getByRole("listbox", { name: "Escalations" }).locator("[role=option]", hasText && { hasText });

/** Goes to somebody in the queue by keys alone. */
async function goTo(desk, id) {
  for (let step = 0; step < ALL.length; step++) await desk.keyboard.press("k");
  for (let step = 0; step <= ALL.length; step++) {
    if ((await desk.locator("[id^=escalation-][aria-selected=true]").innerText()).includes(id)) return;
    await desk.keyboard.press("j");
  }
  throw new Error(`${id} is not in the queue`);
}

/** That what is looked at is the row that is selected, and nothing else. */
async function looksAtSelected(desk) {
  const shown = () => desk.getByRole("region", { name: /^Escalation of / }).evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
  const name = await desk.locator("[id^=escalation-][aria-selected=true] bdi").first().innerText();
  assert.deepEqual(await shown(), [`Escalation of ${name}`]);
}

test("a label says first whom it changes, and changes nothing until it is given", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const before = await everything();
  for (const [item, changes] of [["Flagged wrongly: label as good…", /loses Multiple accounts; closes Shared device/], ["Label as bad…", /gets Confirmed bad/]]) {
    await analyst.open("/identities/ring-1");
    await desk.getByRole("button", { name: "Label", exact: true }).click();
    await desk.getByRole("menuitem", { name: item }).click();
    const dialog = desk.getByRole("dialog");
    await dialog.getByRole("row", { name: /ring-1/ }).getByText(changes).waitFor();
    await dialog.getByText("Nothing is sent").waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    assert.deepEqual(await everything(), before);
    await desk.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
  assert.deepEqual(await everything(), before);
  await analyst.leave();
});

test("keys that are faster than the page and the server mean what they always do", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const browser = await analyst.context.newCDPSession(desk);
  await desk.route("**/api/team", async (request) => {
    await new Promise((after) => setTimeout(after, 300));
    await request.continue();
  });
  for (const rate of [1, 1, 1, 8]) {
    await analyst.open(`/escalations?rule=${rule.id}`);
    await browser.send("Emulation.setCPUThrottlingRate", { rate });
    for (const key of ["c", "b", "3", "r", "ArrowDown", "Enter"]) await desk.keyboard.press(key);
    await browser.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    assert.equal(await desk.getByRole("combobox", { name: "Reason" }).inputValue(), "Several accounts of one person");
    await desk.keyboard.press("Escape");
  }
  for (const id of ALL) assert.deepEqual(await labels(id), []);
  // What is typed after Ctrl K or ? is typed there, and closes and acknowledges nothing.
  const before = await everything();
  for (const [rate, over] of [[1, "Control+k"], [1, "Control+k"], [8, "Control+k"], [1, "?"], [8, "?"]]) {
    await analyst.open(`/escalations?rule=${rule.id}`);
    await browser.send("Emulation.setCPUThrottlingRate", { rate });
    for (const key of [over, ..."carter"]) await desk.keyboard.press(key);
    await browser.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    await desk.getByRole("dialog").waitFor();
    assert.equal(await desk.getByRole("dialog").count(), 1, over);
    if (over !== "?") assert.equal(await desk.getByRole("combobox", { name: "Search" }).inputValue(), "carter");
  }
  assert.deepEqual(await everything(), before);
  await analyst.leave();
});

test("a ring is judged bad in the queue by keys alone", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/escalations?rule=${rule.id}`);
  await rows(desk).nth(ALL.length - 1).waitFor();
  const press = async (...keys) => {
    for (const key of keys) await desk.keyboard.press(key);
  };
  // One with a reason that is picked, and the dialog closed once without a decision.
  await goTo(desk, "ring-1");
  await press("c");
  await desk.getByRole("dialog").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await press("b", "2", "3", "Escape");
  await desk.getByRole("dialog").waitFor({ state: "detached" });
  assert.deepEqual(await labels("ring-1"), []);
  await press("c", "b", "3", "r", "ArrowDown", "Enter");
  const dialog = desk.getByRole("dialog");
  assert.equal(await dialog.getByLabel("Reason", { exact: true }).first().inputValue(), "Several accounts of one person");
  await dialog.getByText("What changes", { exact: true }).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await press("Enter");
  await rows(desk, "ring-1").waitFor({ state: "detached" });
  await looksAtSelected(desk);
  await press("j");
  await looksAtSelected(desk);
  // The others as fast as keys can be pressed.
  for (const id of RING.slice(1, -1)) {
    await goTo(desk, id);
    await press("c", "b", "3", "Enter");
  }
  await eventually("two to be left", async () => (await rows(desk).count()) === 2);
  // Whose scores change is said, and does so only where it is not somebody else who has the account now.
  await goTo(desk, "ring-5");
  await press("c", "b", "3");
  const innocent = dialog.getByRole("row", { name: /Ina Svensson/ });
  await innocent.getByLabel("to").first().waitFor();
  await press("5");
  await innocent.waitFor({ state: "detached" });
  assert.deepEqual(await labels("ring-5"), []);
  await press("3", "Enter");
  await eventually("only the innocent to be left", async () => (await rows(desk).count()) === 1);
  for (const id of RING) {
    const given = await eventually(`the label of ${id}`, async () => (await identity(id)).label);
    const told = [given.outcome, given.kind, given.source, given.author, given.reason];
    assert.ok((await labels(id))[0].cycleId > 0, "by what was looked at");
    assert.deepEqual(told, ["BAD", "DUPLICATE", "ANALYST", "admin@example.com", id === "ring-1" ? "Several accounts of one person" : null]);
    assert.ok((await slugs(id)).includes("confirmed-bad"), id);
    const [newest] = await escalations(id);
    assert.deepEqual([newest.status, newest.outcome, newest.closedBy], ["CLOSED", "BAD", "admin@example.com"]);
  }
  assert.deepEqual(await labels(INNOCENT), []);

  await analyst.open(`/escalations?rule=${rule.id}&status=CLOSED`);
  await rows(desk, "ring-4").getByText("Labeled bad").waitFor();
  await analyst.open("/identities?badge=confirmed-bad&sort=id&order=ASC");
  await desk.getByRole("row").nth(RING.length).waitFor();
  assert.equal(await desk.getByRole("row").count(), RING.length + 1);
  assert.equal(await desk.getByRole("combobox", { name: "Badge" }).inputValue(), "Confirmed bad");
  await desk.getByText("Confirmed bad", { exact: true }).first().hover();
  await desk.getByRole("tooltip").getByText(/^Confirmed as a duplicate account by a person who looked at it, .*: “Several accounts of one person”\.$/).waitFor();
  await analyst.leave();
});

test("who is judged good leaves the queue, and is back once that is undone or withdrawn", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const isBack = async () => (await escalations(INNOCENT)).some(({ status }) => status === "OPEN");
  await analyst.open(`/escalations?rule=${rule.id}`);
  const row = rows(desk, INNOCENT);
  await row.waitFor();
  await goTo(desk, INNOCENT);
  await desk.keyboard.press("c");
  await desk.keyboard.press("g");
  await desk.keyboard.press("Enter");
  await row.waitFor({ state: "detached" });
  await eventually("the label", async () => (await identity(INNOCENT)).label?.outcome === "GOOD");
  assert.ok(!(await isBack()));
  assert.deepEqual((await slugs(INNOCENT)).filter((slug) => slug === "multiple-accounts"), []);
  // Undone with its label, also when the message is gone; and once.
  const told = desk.getByRole("alert").filter({ has: desk.getByRole("button", { name: /^Undo/ }) });
  await told.getByRole("button", { name: "Close" }).click();
  await told.waitFor({ state: "detached" });
  await desk.keyboard.press("z");
  await row.waitFor();
  await desk.keyboard.press("z");
  await desk.getByText("Nothing to undo.").waitFor();
  await eventually("the label to be withdrawn", async () => (await labels(INNOCENT))[0].withdrawnBy === "admin@example.com");
  assert.deepEqual([(await identity(INNOCENT)).label, (await escalations(INNOCENT)).length, await isBack()], [null, 1, true]);

  // On her page, with a reason and a note.
  await analyst.open(`/identities/${INNOCENT}`);
  const { id: cycleId } = await dregs.call("GET", `/identities/${INNOCENT}/analysis`);
  await desk.getByRole("button", { name: "Label", exact: true }).click();
  await desk.getByRole("menuitem", { name: "Flagged wrongly: label as good…" }).click();
  const dialog = desk.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Reason" }).fill(SAYS);
  await dialog.getByLabel("Note").fill("Works there.\nAsked her manager.");
  await dialog.getByRole("button", { name: "Label as good" }).click();
  await dialog.waitFor({ state: "detached" });
  const line = desk.getByRole("group", { name: "Label", exact: true });
  await line.getByText("Labeled good").waitFor();
  await line.getByText(/^by admin@example\.com, /).waitFor();
  assert.ok((await line.innerText()).includes(SAYS));
  await line.getByText("Settled in all four categories").waitFor();
  const [given] = await labels(INNOCENT);
  assert.deepEqual([given.outcome, given.reason, given.note, given.cycleId], ["GOOD", SAYS, "Works there.\nAsked her manager.", cycleId]);
  assert.ok(!(await isBack()));
  assert.deepEqual(await analyst.barriers(), []);

  // How often the rule was right, by what was decided.
  await analyst.open("/rules");
  for (const [list, name] of [["Escalation rules", "Shared device"], ["Badge rules", "Multiple accounts"], ["Analyzers", "uniqueness.shared-device"]]) {
    const listed = desk.getByRole("group", { name: list }).getByRole("row").filter({ hasText: name });
    await listed.getByText("5 right, 1 wrong").waitFor();
    await listed.getByRole("img", { name: /^Right in 44–97% of cases$/ }).waitFor();
  }
  // Nothing is beyond the edge of the lists.
  assert.deepEqual(await desk.locator(".table-box").evaluateAll((boxes) => boxes.map((box) => box.scrollWidth - box.clientWidth)), [0, 0, 0]);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open(`/escalation-rules/${rule.id}`);
  await desk.getByRole("region", { name: "Is it right?" }).getByText("5 right, 1 wrong, 0 not labeled").waitFor();
  assert.deepEqual(await analyst.barriers(), []);

  await analyst.open(`/identities/${INNOCENT}?tab=labels`);
  await desk.getByRole("group", { name: "Labels" }).getByText("Note: Works there.").waitFor();
  await line.getByRole("button", { name: "Withdraw" }).click();
  // Before it is done, it says what it does: her escalation opens again.
  const asked = desk.getByRole("dialog");
  await asked.getByRole("group", { name: "Identities that change" }).getByText(INNOCENT).first().waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await asked.getByRole("button", { name: "Withdraw" }).click();
  await line.waitFor({ state: "detached" });
  await eventually("her escalation", isBack);
  await eventually("both to be marked", async () => (await desk.getByRole("group", { name: "Labels" }).getByText("Withdrawn", { exact: true }).count()) === 2);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});

test("the reasons that are offered are the team's own", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/team");
  const own = desk.getByRole("region", { name: "Reasons for labels" });
  await own.getByRole("textbox", { name: "Bad" }).fill("Sold the account\n\n  Stolen card ");
  await own.getByRole("button", { name: "Save" }).click();
  await desk.getByText("Reasons saved.").waitFor();
  assert.deepEqual((await dregs.call("GET", "/team")).labelReasons.bad, ["Sold the account", "Stolen card"]);
  await own.getByRole("textbox", { name: "Good" }).fill(Array.from({ length: 21 }, (_, n) => `Reason ${n}`).join("\n"));
  await own.getByRole("button", { name: "Save" }).click();
  await own.getByRole("alert").getByText(/at most 20 reasons/).waitFor();
  // The browser says, too, that it was refused.
  assert.equal(analyst.complaints.splice(0).length, 1);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open(`/identities/${INNOCENT}`);
  await desk.getByRole("button", { name: "Label", exact: true }).click();
  await desk.getByRole("menuitem", { name: "Label as bad…" }).click();
  await desk.getByRole("dialog").getByRole("combobox", { name: "Reason" }).press("ArrowDown");
  await desk.getByRole("listbox", { name: "Reason" }).getByRole("option").first().waitFor();
  assert.deepEqual(await desk.getByRole("listbox", { name: "Reason" }).getByRole("option").allTextContents(), ["Sold the account", "Stolen card"]);
  await analyst.leave();
});

test("closing with a reason alone labels nobody", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/escalations?rule=${rule.id}`);
  const row = rows(desk, INNOCENT);
  await row.waitFor();
  await goTo(desk, INNOCENT);
  await desk.getByRole("button", { name: "Close…" }).click();
  await desk.getByRole("dialog").getByRole("combobox", { name: "Reason" }).fill("bg 12: not now");
  await desk.keyboard.press("Enter");
  await row.waitFor({ state: "detached" });
  const closed = await eventually("the close", async () => (await escalations(INNOCENT)).find(({ closeReason }) => closeReason === "bg 12: not now"));
  assert.deepEqual([closed.status, closed.outcome, (await identity(INNOCENT)).label], ["CLOSED", null, null]);
  await analyst.leave();
});

test("labels are written down, and told to channels that want them", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/audit-log");
  for (const words of ["Identity labeled", "Label withdrawn"]) await desk.getByRole("group", { name: "Audit log" }).getByText(words).first().waitFor();
  await analyst.open("/settings/channels");
  await desk.getByRole("button", { name: "New channel" }).click();
  await desk.getByRole("checkbox", { name: "Identity labeled" }).waitFor();
  await analyst.leave();
});

test("on a phone nothing is wider than the window", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 390, height: 844 } });
  const { page: desk } = analyst;
  const fits = async (what) => assert.equal(await analyst.overflow(), 0, what);
  await dregs.call("POST", `/identities/${INNOCENT}/actions/label`, { outcome: "GOOD", reason: "w".repeat(200), note: "n".repeat(200) });
  for (const path of ["/identities/ring-1", `/identities/${INNOCENT}?tab=labels`, "/escalations?status=CLOSED", "/rules", `/escalation-rules/${rule.id}`]) {
    await analyst.open(path);
    await fits(path);
    assert.deepEqual(await analyst.barriers(), [], path);
  }
  await analyst.open("/identities/ring-1");
  await desk.getByRole("button", { name: "Label", exact: true }).click();
  await desk.getByRole("menuitem", { name: "Label as bad…" }).click();
  await desk.getByRole("dialog").getByRole("status").filter({ hasText: /change/ }).waitFor();
  await fits("the dialog of a label");
  assert.deepEqual(await analyst.barriers(), []);
  await dregs.call("POST", "/escalation-rules", { name: "Everybody", severity: "INFO", conditions: [{ type: "SCORE_GTE", category: "ANY", threshold: 0 }] });
  await analyst.open("/escalations");
  await desk.getByRole("button", { name: "Close…" }).click();
  await desk.getByRole("radio", { name: "Bad" }).check();
  await desk.getByRole("dialog").getByText("What changes", { exact: true }).waitFor();
  await fits("the dialog of the queue");
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});
