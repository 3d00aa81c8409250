// What an analyst does with people: sees at a glance what matters, finds somebody, sets a wrong flag right, and knows
// before each change whom it concerns.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, picture } from "./analyst.js";
import { Receiver } from "./receiver.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

const RING = ["ring-1", "ring-2", "ring-3", "ring-4"];

let dregs, chrome, receiver;

before(async () => {
  receiver = await Receiver.open();
  dregs = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8" });
  chrome = await browser();
  await fill();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  receiver?.close();
});

/** A ring of four on one device, who open escalations, and somebody ordinary. */
async function fill() {
  const below = [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }];
  await dregs.call("POST", "/badge-rules", { name: "Multiple accounts", type: "BAD", conditions: below });
  await dregs.call("POST", "/escalation-rules", { name: "Shared device", severity: "CRITICAL", conditions: below });
  const channel = await dregs.call("POST", "/channels", {
    type: "WEBHOOK", name: "Shop", events: ["IDENTITY_SCORED", "IDENTITY_BADGES_CHANGED"], config: { url: receiver.url },
  });
  receiver.secret = channel.signingSecret;
  const signUp = (id, name, more) => ({ type: "konto.eroeffnet", identity: { id, data: { name, email: `${id}@posteo.de`, ...more } }, session: id });
  await dregs.call("POST", "/events/batch", [
    ...RING.map((id, n) => ({ ...signUp(id, `Kim Lee ${n}`), device: { fingerprint: "0123456789abcdef0123456789abcdef" } })),
    { ...signUp("ada", "Ada Byron", { phone: "+49 (0)30 1234567" }), ip: "203.0.113.7", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0" },
  ]);
  for (const id of RING) await eventually(`the badge of ${id}`, async () => (await identity(id)).badges.some(({ slug }) => slug === "multiple-accounts"));
  await dregs.score("ada", "AUTHENTICITY");
}

async function identity(id) {
  return dregs.call("GET", `/identities/${id}`);
}

test("home shows at a glance what matters: one rule in one row, trends over a range, and nothing shouted", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/");
  const attention = desk.getByRole("region", { name: /Needs attention/ });
  const wave = attention.getByRole("listitem").filter({ hasText: "4 identities" });
  await wave.getByRole("link", { name: "Shared device" }).waitFor();
  const recent = desk.getByRole("region", { name: "Recently active" });
  await recent.getByRole("button", { name: "4 identities" }).click();
  await recent.getByRole("link", { name: "Kim Lee 3" }).waitFor();
  // An ordinary score has no colour, and a low one has.
  const colour = (row) => row.locator(".chip[data-kind=score]").evaluateAll((chips) => chips.map((chip) => [chip.dataset.tone, getComputedStyle(chip).backgroundColor]));
  for (const [tone, background] of await colour(recent.getByRole("row", { name: "Ada Byron" }))) {
    if (tone === "3") assert.equal(background, "rgba(0, 0, 0, 0)");
  }
  assert.ok((await colour(recent.getByRole("row", { name: "Kim Lee 3" }))).some(([tone, background]) => tone < "3" && background !== "rgba(0, 0, 0, 0)"));
  assert.equal(await desk.locator("[data-figure=events]").innerText(), "5");
  await desk.getByRole("radiogroup", { name: "Time range" }).getByText("7 d", { exact: true }).click();
  await desk.waitForURL(/range=7d/);
  await desk.getByRole("img", { name: /Events received in the last 7 days: 5, at most 5 in one of 28 steps/ }).waitFor();
  await desk.getByRole("region", { name: "What changed" }).getByRole("row", { name: /Shared device 0 4 \+4/ }).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});

test("somebody is found from everywhere, by whatever support was told", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  for (const [at, told] of [["/rules", "Byron Ada"], ["/settings/team", "203.0.113.7"], ["/", "+49 30 1234567"]]) {
    await analyst.open(at);
    await desk.keyboard.press("Control+k");
    await desk.getByRole("combobox", { name: "Search" }).fill(told);
    await desk.getByRole("option", { name: /Ada Byron/ }).waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    await desk.keyboard.press("Enter");
    await desk.waitForURL(`${dregs.url}/identities/ada`);
    await desk.getByRole("heading", { name: "Ada Byron" }).waitFor();
  }
  // Arrows choose; a page is found by its name.
  await desk.keyboard.press("Control+k");
  await desk.getByRole("combobox", { name: "Search" }).fill("kim");
  await desk.getByRole("option").nth(3).waitFor();
  await desk.keyboard.press("ArrowDown");
  const chosen = await desk.locator("[role=option][aria-selected=true]").innerText();
  await desk.keyboard.press("Enter");
  await desk.waitForURL(/identities\/ring-/);
  assert.match(chosen, new RegExp(await desk.getByRole("heading", { level: 1 }).innerText()));
  await desk.keyboard.press("Control+k");
  await desk.getByRole("combobox", { name: "Search" }).fill("audit");
  await desk.getByRole("option", { name: /Audit log/ }).click();
  await desk.waitForURL(`${dregs.url}/settings/audit-log`);
  await analyst.leave();
});

test("disregarding says first whose scores change and what is sent, and changes nothing until it is confirmed", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/identities/ring-4");
  const before = await Promise.all(RING.map(identity));
  const sent = receiver.taken.length;
  await desk.getByRole("button", { name: "More" }).click();
  await desk.getByRole("menuitem", { name: "Disregard…" }).click();
  const dialog = desk.getByRole("dialog");
  for (const id of RING.slice(0, 3)) await dialog.getByRole("row").filter({ has: desk.locator(`a[href="/identities/${id}"]`) }).getByLabel("to").first().waitFor();
  await dialog.getByText(/\d+ × Identity scored to Shop/).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await desk.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(await Promise.all(RING.map(identity)), before);
  assert.equal(receiver.taken.length, sent);
  await analyst.leave();
});

test("a badge that is wrong is dismissed by itself and restored, and others stay as they are", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const others = await Promise.all(RING.slice(1).map(identity));
  const has = async () => (await identity("ring-1")).badges.some(({ slug }) => slug === "multiple-accounts");
  await analyst.open("/identities/ring-1");
  await desk.getByRole("button", { name: "Dismiss Multiple accounts" }).click();
  const dialog = desk.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("A shared till.");
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Dismiss", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  const dismissed = desk.getByRole("group", { name: "Dismissed badges" });
  await dismissed.getByText("A shared till.").waitFor();
  assert.deepEqual([await has(), await Promise.all(RING.slice(1).map(identity))], [false, others]);
  assert.ok((await identity("ring-1")).uniquenessScore < 60);
  await dismissed.getByRole("button", { name: "Restore Multiple accounts" }).click();
  await eventually("the badge to be back", has);
  await analyst.leave();
});

test("the queue says who has closed an escalation, and why", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/escalations?identity=ring-2&rule=");
  const detail = desk.getByRole("region", { name: "Escalation of Kim Lee 1" });
  await detail.getByRole("button", { name: "Close…" }).click();
  await desk.getByRole("dialog").getByLabel("Reason").fill("Known tester.");
  await desk.getByRole("dialog").getByRole("button", { name: "Close the escalation" }).click();
  await desk.getByRole("dialog").waitFor({ state: "detached" });
  await desk.getByRole("navigation", { name: "Status" }).getByText("Closed").click();
  await detail.getByText(/closed .* by admin@example\.com: Known tester\./).waitFor();
  await analyst.leave();
});

test("a mapping is changed only after it has said whom it concerns, and is taken back by a click", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/mappings");
  const row = desk.getByRole("row", { name: /konto\.eroeffnet/ });
  const own = async () => (await dregs.call("GET", "/mappings?scope=CUSTOMER")).content;
  await row.getByRole("button", { name: /Change the mapping/ }).focus();
  for (const key of ["ArrowDown", "ArrowUp", "End", "l"]) await desk.keyboard.press(key);
  assert.deepEqual(await own(), []);
  await desk.keyboard.press("Enter");
  const dialog = desk.getByRole("dialog");
  // Neither does choosing in the dialog change anything.
  await dialog.getByLabel("Canonical type").focus();
  await desk.keyboard.press("ArrowDown");
  assert.deepEqual(await own(), []);
  await dialog.getByLabel("Canonical type").selectOption("LOGIN");
  await dialog.getByText("Rescores 5 of 5 identities.").waitFor();
  await dialog.getByText(/sent to Shop/).waitFor();
  assert.deepEqual(await own(), []);
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByRole("button", { name: "Change the mapping" }).click();
  await row.getByText("Login").waitFor();
  assert.equal((await own())[0].target, "LOGIN");
  await desk.getByRole("button", { name: "Undo" }).click();
  await row.getByText("not mapped").waitFor();
  assert.deepEqual(await own(), []);
  await analyst.leave();
});

test("no focused control of a list changes anything at the press of an arrow", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const log = async () => {
    const { token } = await dregs.call("POST", "/auth/login", { email: "admin@example.com", password: "correct horse battery staple" });
    return (await dregs.call("GET", "/audit-log?pageSize=100", undefined, token)).content.filter(({ action }) => !action.startsWith("session"));
  };
  const before = await log();
  for (const path of ["/settings/team", "/settings/mappings", "/settings/mappings?view=all", "/settings/credentials", "/settings/channels", "/rules"]) {
    await analyst.open(path);
    const controls = desk.locator("table select, table button, table input, table [role=switch]");
    for (let n = 0; n < Math.min(await controls.count(), 12); n++) {
      await controls.nth(n).focus();
      await desk.keyboard.press("ArrowDown");
      await desk.keyboard.press("ArrowUp");
    }
  }
  assert.deepEqual((await log()).map(({ id }) => id), before.map(({ id }) => id));
  await analyst.leave();
});

test("times are shown in UTC and by the customs of a language, when one prefers so", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { timezoneId: "Asia/Tokyo", locale: "en-US" });
  const { page: desk } = analyst;
  const [event] = await dregs.events("ada");
  await analyst.open(`/events/${event.id}`);
  const shown = () => desk.locator(".facts dd").first().innerText();
  const at = new Date(event.timestamp);
  const written = (locale, timeZone) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", timeZone }).format(at).replaceAll(/\s/g, " ");
  assert.ok((await shown()).replaceAll(/\s/g, " ").startsWith(written("en-US", "Asia/Tokyo")), await shown());
  await analyst.open("/settings/account");
  await desk.getByLabel("Time zone").selectOption("UTC");
  await desk.getByLabel("Date format").selectOption("de-DE");
  await desk.getByText(/\sUTC$/).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open(`/events/${event.id}`);
  assert.ok((await shown()).replaceAll(/\s/g, " ").startsWith(`${written("de-DE", "UTC")} UTC`), await shown());
  // What is picked is meant in UTC, too.
  await analyst.open("/events");
  await desk.getByLabel("From").fill("2026-11-26T17:00");
  await desk.waitForURL(/from=2026-11-26T17%3A00%3A00\.000Z/);
  await analyst.leave();
});

test("one's own name is changed where one's account is, and colleagues see it", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  const nameOf = async () => (await dregs.call("GET", "/auth/me", undefined, token)).name ?? "";
  const before = await nameOf();
  await analyst.open("/settings/account");
  const field = desk.getByLabel("Name", { exact: true });
  assert.equal(await field.inputValue(), before);
  for (const name of ["Ada Lovelace-Byron", before]) {
    await field.fill(name);
    await desk.getByRole("button", { name: "Save name" }).click();
    await eventually("the name", async () => (await nameOf()) === name);
    await eventually("the form to be done", async () => desk.getByRole("button", { name: "Save name" }).isDisabled());
  }
  assert.deepEqual(await analyst.barriers(), []);
  await picture(desk, "account");
  await analyst.leave();
});

test("a hundred critical escalations hide no warning on Home", async () => {
  await dregs.call("POST", "/escalation-rules", { name: "Several accounts", severity: "WARNING", conditions: [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }] });
  const crowd = Array.from({ length: 101 }, (_, n) => ({ type: "konto.eroeffnet", identity: { id: `crowd-${n}`, data: { email: `crowd${n}@posteo.de` } } }));
  await dregs.call("POST", "/events/batch", crowd);
  const open = async (severity) => (await dregs.call("GET", `/escalations?status=OPEN&severity=${severity}`)).totalElements;
  await eventually("more than are looked at", async () => (await open("CRITICAL")) > 100 && (await open("WARNING")) > 0);
  const analyst = await Analyst.arrive(chrome, dregs);
  await analyst.open("/");
  const attention = analyst.page.getByRole("region", { name: /Needs attention/ });
  for (const rule of ["Shared device", "Several accounts"]) {
    await attention.getByRole("listitem").filter({ hasText: /^\w+\s*1\d\d identities/ }).getByRole("link", { name: rule }).waitFor();
  }
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});
