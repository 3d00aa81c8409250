// Several people at one queue: who works on which, and until when.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { Analyst, picture } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

const RING = ["ring-1", "ring-2", "ring-3", "ring-4"];

let dregs, chrome, rule, bob, admin;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const below = [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }];
  rule = await dregs.call("POST", "/escalation-rules", { name: "Shared device", severity: "CRITICAL", conditions: below });
  const signUp = (id, name) => ({
    type: "user.signup", identity: { id, data: { name, email: `${id}@posteo.de` } }, session: id, ip: "203.0.113.7",
    device: { fingerprint: "0123456789abcdef0123456789abcdef" },
  });
  await dregs.call("POST", "/events/batch", RING.map((id, n) => signUp(id, `Kim Lee ${n + 1}`)));
  await eventually("an escalation of each", async () => (await open()).length === RING.length);
  admin = (await dregs.call("POST", "/auth/login", ADMIN)).token;
  const invitation = await dregs.call("POST", "/team/invitations", { email: "bob@example.com", role: "USER" }, admin);
  bob = await dregs.call("POST", "/auth/accept-invitation", { token: invitation.token, name: "Bob Stone", password: "a long password" });
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

async function open() {
  return (await dregs.call("GET", `/escalations?rule=${rule.id}&status=OPEN&sort=openedAt&order=ASC`)).content;
}

const escalation = (id) => dregs.call("GET", `/escalations/${id}`);
const assignee = async (id) => (await escalation(id)).assignee;
const rows = (desk) => desk.getByRole("listbox", { name: "Escalations" }).getByRole("option");
const detail = (desk) => desk.getByRole("region", { name: /^Escalation of / });
const views = (desk) => desk.getByRole("navigation", { name: "Whose" });
const inQueue = (more = "") => `/escalations?rule=${rule.id}${more}`;

test("the next one is taken by a key, and is under Mine for one and under Unassigned for nobody", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const [oldest] = await open();
  await analyst.open(inQueue());
  await desk.keyboard.press("n");
  await detail(desk).getByText("Assigned to you").waitFor();
  assert.equal(await assignee(oldest.id), ADMIN.email);
  await rows(desk).filter({ hasText: "Yours" }).waitFor();
  assert.equal(await desk.locator("[id^=escalation-][aria-selected=true]").getAttribute("id"), `escalation-${oldest.id}`);
  await views(desk).getByRole("link", { name: /^Mine ?1$/ }).click();
  await eventually("one row", async () => (await rows(desk).count()) === 1);
  await desk.waitForURL(/assignee=me/);
  await views(desk).getByRole("link", { name: "Unassigned" }).click();
  await eventually("the others", async () => (await rows(desk).count()) === RING.length - 1);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open("/settings/audit-log");
  await desk.getByRole("row", { name: /Escalation assigned/ }).first().waitFor();
  await analyst.leave();
});

test("whoever takes what somebody has taken meanwhile is told so, and may reassign it", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const [, second] = await open();
  await analyst.open(`${inQueue()}&escalation=${second.id}`);
  await detail(desk).getByRole("button", { name: "Unassigned" }).waitFor();
  await dregs.call("POST", `/escalations/${second.id}/actions/assign`, { assignee: "me" }, bob.token);
  await desk.keyboard.press("m");
  await desk.getByText("bob@example.com works on it.").waitFor();
  assert.equal(await assignee(second.id), "bob@example.com");
  await detail(desk).getByRole("button", { name: "Assigned to Bob Stone" }).waitFor();
  await desk.getByRole("button", { name: "Reassign" }).click();
  await detail(desk).getByText("Assigned to you").waitFor();
  await desk.keyboard.press("u");
  await detail(desk).getByRole("button", { name: "Unassigned" }).waitFor();
  await detail(desk).getByRole("button", { name: "Unassigned" }).click();
  await desk.getByRole("menuitem", { name: "Bob Stone" }).click();
  await detail(desk).getByText("Assigned to Bob Stone").waitFor();
  assert.equal(await assignee(second.id), "bob@example.com");
  assert.deepEqual(await analyst.barriers(), []);
  // Chromium tells of the refusal.
  analyst.complaints.splice(0);
  await analyst.leave();
});

test("a note mentions a colleague, who finds it under Mentions, and its author alone deletes it", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const [, , third] = await open();
  await analyst.open(`${inQueue()}&escalation=${third.id}`);
  const history = desk.getByRole("region", { name: "History" });
  await history.getByText("Opened by Shared device").waitFor();
  await desk.keyboard.press("t");
  await desk.keyboard.type("see @nobody, a@b.example ");
  await history.getByText("@nobody: nobody in this team is called so, and nobody is told.").waitFor();
  await history.getByLabel("Note").clear();
  await desk.keyboard.type("<b>odd</b> @sto");
  await desk.getByRole("group", { name: "Mention" }).getByRole("button", { name: "Bob Stone" }).waitFor();
  await desk.keyboard.press("Enter");
  assert.equal(await history.getByLabel("Note").inputValue(), "<b>odd</b> @bob ");
  await desk.keyboard.type("agree?");
  await desk.keyboard.press("Control+Enter");
  await history.getByText("<b>odd</b> @bob agree?").waitFor();
  const mentioned = async () => (await dregs.call("GET", "/escalations/summary", undefined, bob.token)).mentioned;
  await eventually("the mention to be stored", async () => (await mentioned()) === 1);
  await dregs.call("POST", `/escalations/${third.id}/notes`, { text: "Yes. @admin, close it." }, bob.token);
  await history.getByText("Yes. @admin, close it.").waitFor();
  await history.getByText("Bob Stone noted").waitFor();
  assert.equal(await history.getByRole("button", { name: "Delete…" }).count(), 1);
  await views(desk).getByRole("link", { name: /^Mentions ?1$/ }).click();
  await desk.waitForURL(/mentioned=me/);
  await eventually("the one that mentions", async () => (await rows(desk).count()) === 1);
  assert.deepEqual(await analyst.barriers(), []);
  await picture(desk, "notes");
  await history.getByRole("button", { name: "Delete…" }).click();
  await desk.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await history.getByText("<b>odd</b> @bob agree?").waitFor({ state: "detached" });
  await eventually("the mention to be gone", async () => (await mentioned()) === 0);
  await analyst.leave();
});

test("of a list of open escalations, none is offered to be reopened", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(inQueue());
  await desk.getByRole("button", { name: /^Act on all/ }).click();
  const acts = desk.getByRole("dialog").getByRole("radio");
  await acts.first().waitFor();
  assert.deepEqual(await acts.evaluateAll((radios) => radios.map(({ value }) => value)), ["ACKNOWLEDGED", "CLOSED", "ASSIGN"]);
  await analyst.leave();
});

test("an acknowledgment is taken back by its own word, and only what was closed is reopened", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const [{ id }, { id: other }] = await open();
  const put = (which, status) => dregs.call("PATCH", `/escalations/${which}`, { status });
  const at = (status) => analyst.open(inQueue(`&status=${status}&escalation=${id}`));
  const button = (name) => desk.getByRole("button", { name, exact: false }).first();
  const history = desk.getByRole("region", { name: "History" });
  await put(id, "ACKNOWLEDGED");
  await at("ACKNOWLEDGED");
  await button("Unacknowledge").waitFor();
  assert.equal(await desk.getByRole("button", { name: "Reopen" }).count(), 0);
  await desk.keyboard.press("o");
  await eventually("it to be open", async () => (await dregs.call("GET", `/escalations/${id}`)).status === "OPEN");
  await at("ALL");
  await history.getByText("You unacknowledged it").waitFor();
  assert.equal(await history.getByText("reopened").count(), 0);
  await put(id, "CLOSED");
  await at("CLOSED");
  await button("Reopen").waitFor();
  assert.equal(await desk.getByRole("button", { name: "Unacknowledge" }).count(), 0);
  await desk.keyboard.press("o");
  await eventually("it to be open", async () => (await dregs.call("GET", `/escalations/${id}`)).status === "OPEN");
  await at("ALL");
  await history.getByText("You reopened it").waitFor();
  await desk.keyboard.press("?");
  await desk.getByRole("dialog").getByText("unacknowledge the escalation, or reopen a closed one").waitFor();

  // The same of many at once.
  const offered = async (status) => {
    await at(status);
    await desk.getByRole("button", { name: /^Act on all/ }).click();
    return desk.getByRole("radio", { name: /nacknowledge|eopen/ }).evaluateAll((radios) => radios.map(({ labels }) => labels[0].textContent.trim()));
  };
  for (const which of [id, other]) await put(which, "ACKNOWLEDGED");
  assert.deepEqual(await offered("ACKNOWLEDGED"), ["Unacknowledge"]);
  assert.deepEqual(await offered("ACTIVE"), ["Unacknowledge"]);
  assert.deepEqual(await offered("ALL"), ["Unacknowledge or reopen"]);
  await at("ACKNOWLEDGED");
  await desk.getByRole("button", { name: /^Act on all/ }).click();
  await desk.getByRole("radio", { name: "Unacknowledge" }).check();
  await desk.getByRole("dialog").getByRole("button", { name: "Unacknowledge" }).click();
  await desk.getByText("Unacknowledged: 2 escalations.").waitFor();
  for (const which of [id, other]) assert.equal((await dregs.call("GET", `/escalations/${which}`)).status, "OPEN");
  await analyst.leave();
});

test("what is past its due time is marked, counted and listed, on Home too", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/team");
  const times = desk.getByRole("region", { name: "Due times" });
  await times.getByLabel("Critical").fill("60");
  await times.getByText("1 hour").waitFor();
  await times.getByRole("button", { name: "Save" }).click();
  await desk.getByText("Due times saved.").waitFor();
  assert.deepEqual((await dregs.call("GET", "/team")).dueMinutes, { critical: 60, warning: null, info: null });
  const [first] = await open();
  // As if it had opened long ago.
  const script = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
db.execute("update escalations set opened_at = opened_at - 7200000 where id = ?", (int(sys.argv[2]),))
db.commit()`;
  const made = spawnSync("python3", ["-c", script, `${dregs.folder}/dregs.db`, String(first.id)], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  await analyst.open("/");
  await desk.getByRole("region", { name: /Needs attention/ }).getByRole("link", { name: "1 overdue" }).click();
  await desk.waitForURL(/overdue=true/);
  await eventually("it alone", async () => (await rows(desk).count()) === 1);
  await rows(desk).getByText("Overdue").waitFor();
  await detail(desk).getByText(/was due 1 hr\. ago/).waitFor();
  await views(desk).getByRole("link", { name: /^Overdue ?1$/ }).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  for (const [width, colorScheme] of [[1280, "light"], [1280, "dark"], [390, "light"], [390, "dark"]]) {
    await desk.setViewportSize({ width, height: 900 });
    await desk.emulateMedia({ colorScheme });
    await analyst.open(inQueue());
    assert.deepEqual([await analyst.overflow(), await analyst.cut()], [0, []], `at ${width}`);
    await picture(desk, `queue-${width}-${colorScheme}`);
  }
  await analyst.leave();
});
