// What somebody sees who opens these pages for the first time: nothing that leads nowhere, and nothing to puzzle over.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

/** As people make them who have a generator for it. */
const LONG_ID = "8f14e45f-ceea-467f-ab12-90c1c2d3e4f5";

let dregs, chrome, token;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  ({ token } = await dregs.call("POST", "/auth/login", ADMIN));
  await dregs.call("POST", "/escalation-rules", { name: "Low", severity: "CRITICAL", conditions: [{ type: "SCORE_LT", category: "ANY", threshold: 60 }] });
  const signUp = (id, name) => ({ type: "user.signup", identity: { id, data: { name, email: "qwrtzpl@yopmail.com" } }, device: { fingerprint: "0123456789abcdef0123456789abcdef" } });
  await dregs.call("POST", "/events/batch", [signUp(LONG_ID, "Christopher Montgomery"), signUp("ring-2", "Ada Lovelace"), signUp("ring-3", "Bob Stone")]);
  await dregs.score("ring-3", "HUMANITY").catch(() => {});
  await eventually("an escalation", async () => (await dregs.call("GET", "/escalations")).content[0]);
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

async function guest(path) {
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.goto(dregs.url + path);
  return { page, context };
}

test("the link of an invitation that is void says at once that it is, and what to do", async () => {
  const invite = () => dregs.call("POST", "/team/invitations", { email: "bob@example.com", role: "USER" }, token);
  const [replaced, newest] = [await invite(), await invite()];
  for (const hash of [`#${replaced.token}`, "#inv_none", ""]) {
    const { page, context } = await guest(`/accept-invitation${hash}`);
    await page.getByRole("heading", { name: "This invitation is not valid" }).waitFor();
    await page.getByRole("alert").filter({ hasText: /Ask an admin of the team for a new link|Copy the complete link/ }).waitFor();
    assert.equal(await page.locator("input").count(), 0, hash);
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.waitForURL(/\/sign-in/);
    await context.close();
  }
  const { page, context } = await guest(`/accept-invitation#${newest.token}`);
  await page.getByLabel("Your name").fill("Bob");
  await page.locator("input[type=password]").fill("a long password");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  await context.close();
  // With that, one admin of two members is left; who could not go away is told so before they try.
  const analyst = await Analyst.arrive(chrome, dregs);
  await analyst.open("/settings/team");
  const own = analyst.page.getByRole("row").filter({ hasText: ADMIN.email });
  await own.getByText("A team needs an admin. Make somebody else one first.").waitFor();
  assert.ok(await own.getByRole("button", { name: "Leave" }).isDisabled());
  assert.ok(await own.getByRole("button", { name: "Change the role" }).isDisabled());
  const other = analyst.page.getByRole("row").filter({ hasText: "bob@example.com" });
  assert.ok(await other.getByRole("button", { name: "Remove" }).isEnabled());
  await analyst.leave();
});

test("lists fit a window of 1,280, ids and times are not broken within", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  for (const [path, label] of [["/identities", "Identities"], ["/settings/datasets", "Datasets"], ["/settings/audit-log", "Audit log"]]) {
    await analyst.open(path);
    const box = page.getByRole("group", { name: label, exact: true });
    await box.waitFor();
    const hidden = await box.evaluate((element) => element.scrollWidth - element.clientWidth);
    assert.ok(hidden <= 0, `${hidden} px of ${path} are out of sight`);
  }
  await analyst.open("/escalations");
  const id = page.getByRole("option").filter({ hasText: "Christopher" }).getByText(LONG_ID).first();
  const lines = await id.evaluate((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return new Set([...range.getClientRects()].map(({ top }) => top)).size;
  });
  assert.equal(lines, 1);

  await analyst.open("/identities/ring-2");
  await page.locator("main time").first().hover();
  const time = await page.getByRole("tooltip").filter({ hasText: /\d:\d\d/ }).first().textContent();
  assert.match(time, /\d:\d\d:\d\d\u00a0[AP]M$/);
  await analyst.leave();
});

test("the audit log is in words, by which it can be filtered", async () => {
  const wrong = { email: ADMIN.email, password: "wrong" };
  await dregs.call("POST", "/auth/login", wrong).catch(() => {});
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/settings/audit-log");
  await page.getByLabel("Any action").selectOption({ label: "Sign-in refused" });
  const rows = page.getByRole("group", { name: "Audit log" }).locator("tbody tr");
  await eventually("the one entry", async () => (await rows.count()) === 1);
  assert.match(await rows.innerText(), /Sign-in refused/);
  assert.doesNotMatch(await rows.innerText(), /session\.refuse/);
  assert.match(page.url(), /action=session\.refuse/);
  await analyst.leave();
});

test("an average begins with the first event, a date is there once, a bad number in an address is no filter", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/settings/usage?days=90");
  const total = (await dregs.call("GET", "/usage")).eventsThisMonth;
  const facts = await page.locator("dl.facts").innerText();
  assert.match(facts, new RegExp(`Average per day\\s+${total}, since the first event`));

  await analyst.open("/settings/datasets");
  const dates = (await page.getByRole("group", { name: "Datasets" }).innerText()).match(/\d{4}-\d\d-\d\d/g);
  assert.equal(dates, null);

  await page.goto(`${dregs.url}/identities?humanityMax=low&behaviorMin=20`);
  await page.getByRole("button", { name: "Behavior from 20" }).waitFor();
  await page.getByText("must be a whole number from 0 to 100").waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /NaN/);
  // The browser says as well that the list was refused.
  analyst.complaints.splice(0);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("group", { name: "Identities", exact: true }).waitFor();
  await analyst.leave();
});

test("one is one: of a single match nobody speaks as of many", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const rules = (await dregs.call("GET", "/escalation-rules")).content;
  await analyst.open(`/escalation-rules/${rules.find(({ name }) => name === "Low").id}`);
  // An age that all but nobody has.
  const matches = page.getByRole("region", { name: "Matches now" });
  await matches.getByText(/\d+ identit(y|ies)/).waitFor();
  await page.route("**/api/escalation-rules/actions/preview", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    await route.fulfill({ response: answer, json: { ...body, matching: 1, good: 0, sample: body.sample.slice(0, 1) } });
  });
  await page.reload();
  await matches.getByText("It has no good badge.").waitFor();
  assert.match(await matches.innerText(), /1 identity/);
  await analyst.leave();
});

test("whoever deletes a channel is told which rules name it, and the rules say that it is gone", async () => {
  const { id } = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "My app", events: ["escalation.opened"], config: { url: "https://example.com/hook" } }, token);
  await dregs.call("POST", "/escalation-rules", { name: "Told", severity: "INFO", channels: ["my-app"], conditions: [{ type: "SCORE_LT", category: "HUMANITY", threshold: 2 }] });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open(`/settings/channels/${id}`);
  await page.getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("“Told” names it: that rule notifies nobody here any more.").waitFor();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/settings\/channels$/);
  await analyst.open("/rules");
  await page.getByRole("row").filter({ hasText: "Told" }).getByText("my-app (deleted)").waitFor();
  await analyst.leave();
});
