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
  await page.getByText("“Humanity to” must be a whole number from 0 to 100.").waitFor();
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

test("a form says all at once what is wrong with it, at each field, and so does what the server refuses", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const marked = (...labels) => eventually(`errors at ${labels}`, async () => {
    const wrong = await page.locator("[aria-invalid=true]").evaluateAll((all) => all.map((field) => field.labels?.[0]?.textContent.replace(" *", "")));
    return String(wrong) === String(labels);
  });
  const refuse = (path, ...details) => page.route(`**${path}`, (route) => {
    if (route.request().method() === "GET") return route.continue();
    const body = { status: 400, code: "bad_request", message: "", requestId: "1", details };
    return route.fulfill({ status: 400, contentType: "application/json", body: JSON.stringify(body) });
  });

  await analyst.open("/settings/retention");
  await page.getByLabel("Events, in days").fill("1");
  await page.getByLabel("Audit log, in days").fill("2");
  await page.getByRole("button", { name: "Save…" }).click();
  await marked("Events, in days", "Audit log, in days");
  await page.getByLabel("Events, in days").fill("40");
  await page.getByLabel("Audit log, in days").fill("100");
  await refuse("/api/retention/actions/preview", { field: "events", message: "must be more" }, { field: "auditLog.days", message: "must be less" });
  await page.getByRole("button", { name: "Save…" }).click();
  await marked("Events, in days", "Audit log, in days");
  await page.getByText("Must be less.").waitFor();
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await analyst.open("/settings/team");
  await page.getByRole("button", { name: "Invite" }).click();
  await marked("E-mail");
  await page.getByLabel("E-mail").fill("nobody");
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByText("Must be an e-mail address.").waitFor();
  await marked("E-mail");
  assert.deepEqual(await page.locator(".mantine-Alert-root").allInnerTexts(), [], "it is said once");

  await analyst.open("/settings/channels");
  await page.getByRole("button", { name: "New channel" }).click();
  await page.getByRole("checkbox").first().waitFor();
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("Select at least one").waitFor();
  await marked("Name", "URL");
  await page.getByLabel("Name").fill("Shop");
  await page.getByLabel("URL").fill("https://example.com/hook");
  await page.getByLabel("Identity scored").check();
  await page.getByText("Advanced").click();
  await page.getByRole("button", { name: "Add a header" }).click();
  await page.getByRole("textbox", { name: "Header" }).fill("X-Key");
  await page.getByText("Advanced").click();
  const wrong = [["slug", "is taken"], ["config.url", "is wrong"], ["config.headers.x-key", "is ours"], ["config.timeoutMs", "must be less"], ["limits", "are unknown"]];
  await refuse("/api/channels", ...wrong.map(([field, message]) => ({ field, message })));
  await page.getByRole("button", { name: "Create" }).click();
  await marked("Name", "URL", undefined, "Timeout (ms)");
  for (const text of ["Is taken.", "Is wrong.", "Is ours.", "Must be less."]) await page.getByText(text, { exact: true }).waitFor();
  assert.match(await page.locator(".mantine-Alert-root").innerText(), /Limits are unknown\.$/);
  analyst.complaints.splice(0);
  await analyst.leave();
});

test("how many there are is exact, or said to be the least", async () => {
  const own = await Dregs.start(() => []);
  const analyst = await Analyst.arrive(chrome, own);
  try {
    for (const name of ["Low", "Lower"]) await own.call("POST", "/escalation-rules", { name, severity: "CRITICAL", conditions: [{ type: "SCORE_LT", category: "AUTHENTICITY", threshold: 60 }] });
    await own.call("POST", "/escalation-rules", { name: "Scripts", severity: "CRITICAL", conditions: [{ type: "SCORE_LT", category: "HUMANITY", threshold: 30 }] });
    await own.call("POST", "/events", { type: "user.login", identity: { id: "script-1" }, ip: "203.0.113.7", userAgent: "python-requests/2.32" });
    await eventually("the script", async () => (await own.call("GET", "/escalations?identity=script-1")).content[0]);
    const of = (fingerprint, count) => Array.from({ length: count }, (_, n) => ({ type: "user.signup", timestamp: "2026-01-02T03:04:05Z", identity: { id: `${fingerprint} ${n}`, data: { email: "qwrtzpl@yopmail.com" } }, device: { fingerprint } }));
    await own.call("POST", "/events/batch", [...of("the-office-of-ada-1", 2), ...of("the-office-of-ada-2", 58)]);
    await eventually("all escalations", async () => (await own.call("GET", "/escalations?severity=CRITICAL")).totalElements >= 120);
    const { page } = analyst;
    await analyst.open("/");
    const rows = page.getByRole("list", { name: "Open escalations" }).getByRole("listitem");
    for (const name of ["Low", "Lower"]) await rows.filter({ has: page.getByRole("link", { name, exact: true }) }).getByText("60 identities", { exact: true }).waitFor();
    // What came before all of these is in sight, too.
    const quiet = rows.filter({ has: page.getByRole("link", { name: "Scripts", exact: true }) });
    await quiet.getByRole("link", { name: "script-1" }).waitFor();

    await analyst.open("/devices");
    const device = (end) => page.getByRole("row").filter({ hasText: end });
    await device("the-office-of-ada-1").getByRole("cell", { name: "2", exact: true }).waitFor();
    await device("the-office-of-ada-2").getByRole("cell", { name: "58", exact: true }).waitFor();
    await page.route("**/api/devices?*", async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      await route.fulfill({ response: answer, json: { ...body, content: body.content.map((one) => ({ ...one, identityCount: 100, identityCountIsExact: false })) } });
    });
    await page.reload();
    await device("the-office-of-ada-1").getByRole("cell", { name: "at least 100" }).waitFor();

    await analyst.open("/identities?term=ada-1");
    const imported = page.getByRole("group", { name: "Identities", exact: true }).locator("td[data-title='First seen'] time").first();
    assert.match(await imported.getAttribute("datetime"), /^2026-01-02T03:04:05/);

    await analyst.open("/identities/the-office-of-ada-1%200");
    const seen = page.getByText(/^First seen/);
    assert.match(await seen.locator("time").getAttribute("datetime"), /^2026-01-02T03:04:05/);

    await analyst.open("/settings/mappings");
    await page.getByRole("button", { name: "Change the mapping of user.signup" }).click();
    await page.getByRole("dialog").getByLabel("Canonical type").selectOption("LOGIN");
    await page.getByRole("dialog").getByText("60 events have this name. Rescores 60 of 61 identities.").waitFor();
  } finally {
    await analyst.leave();
    await own.stop();
  }
});

test("no text is cut off in the rule editor, the dialog of a replay and a back-test", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const rules = (await dregs.call("GET", "/escalation-rules")).content;
  await analyst.open(`/escalation-rules/${rules.find(({ name }) => name === "Low").id}`);
  await page.getByRole("button", { name: "Run" }).click();
  const plot = page.locator(".plot").filter({ has: page.getByRole("img", { name: /opened in \d+ days/ }) }).or(page.getByRole("img", { name: /opened in \d+ days/ }).and(page.locator(".plot")));
  await plot.locator("canvas").waitFor();
  const room = await plot.evaluate((plot) => plot.getBoundingClientRect().right - plot.querySelector(".u-over").getBoundingClientRect().right);
  assert.ok(room >= 28, `${room} px for half of the last mark`);
  // A select is as wide as its longest option, or wider.
  const cut = () => page.evaluate(() => {
    const free = (field) => {
      const copy = field.cloneNode(true);
      copy.style.cssText = "position: absolute; width: max-content";
      field.parentElement.append(copy);
      const { width } = copy.getBoundingClientRect();
      copy.remove();
      return width;
    };
    const fields = [...document.querySelectorAll("main select, [role=dialog] :is(select, input[type=datetime-local])")];
    return fields.filter((field) => field.getBoundingClientRect().width + 1 < free(field)).map((field) => `${field.ariaLabel ?? field.labels[0].textContent}: ${field.clientWidth} of ${free(field)}`);
  });
  assert.deepEqual(await cut(), []);
  const { id } = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "Log", events: ["escalation.opened"], config: { url: "https://example.com/log" } }, token);
  await analyst.open(`/settings/channels/${id}`);
  await page.getByRole("button", { name: "Replay…" }).click();
  await page.getByLabel("Created from").waitFor();
  assert.deepEqual(await cut(), []);
  await analyst.leave();
});

test("a delivery log with errors fits a window of 1,280", async () => {
  const { id } = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "Away", events: ["escalation.opened"], config: { url: "https://example.com/away" } }, token);
  const at = new Date(Date.now() + 600_000).toISOString();
  const content = ["ESCALATION_ACKNOWLEDGED", "IDENTITY_BADGES_CHANGED"].map((event, n) => ({
    id: n + 1, channelId: id, event, identityId: LONG_ID, status: "PENDING", waitsFor: "RETRY", attemptCount: 12, nextAttemptAt: at, createdAt: new Date(0).toISOString(),
    httpStatus: 503, errorClass: "HTTP", errorMessage: "the endpoint answered 503 Service Unavailable, and what it says goes on",
  }));
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const json = { content, pageNumber: 0, pageSize: 20, totalElements: 2, totalPages: 1, totalIsExact: true, first: true, last: true };
  await page.route(`**/api/channels/${id}/deliveries?*`, (route) => route.fulfill({ json }));
  await analyst.open(`/settings/channels/${id}`);
  const log = page.getByRole("group", { name: "Deliveries", exact: true });
  await log.getByText(/12 attempts, next in 9 min|12 attempts, next in 10 min/).first().waitFor();
  const hidden = await log.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.ok(hidden <= 0, `${hidden} px are out of sight`);
  await analyst.leave();
});

test("on a small screen rows of settings are in sight as a whole, and a message covers nothing for good", async () => {
  await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "Phone", events: ["identity.scored", "escalation.opened"], config: { url: "https://example.com/a/long/path/of/a/hook" } }, token);
  await dregs.call("POST", "/team/invitations", { email: "somebody.with.a.long.name@example.com", role: "USER" }, token);
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 360, height: 700 } });
  const { page } = analyst;
  for (const [path, label, words] of [
    ["/settings/channels", "Channels", ["Yes", "Healthy"]], ["/settings/team", "Members", ["Leave"]], ["/settings/team", "Invitations", ["Revoke"]],
    ["/settings/mappings", "Received names", ["Change…"]], ["/settings/mappings?view=all", "Mappings", []], ["/settings/datasets", "Datasets", []],
  ]) {
    await analyst.open(path);
    const list = page.getByRole("group", { name: label, exact: true });
    await list.waitFor();
    const hidden = await list.evaluate((element) => element.scrollWidth - element.clientWidth);
    assert.ok(hidden <= 0, `${hidden} px of ${label} are out of sight`);
    for (const word of words) await list.getByText(word).first().waitFor().catch(() => assert.ok(false, `${label} without ${word}`));
    assert.deepEqual(await analyst.barriers(), [], label);
  }
  await analyst.open("/settings/mappings");
  await page.getByRole("button", { name: "Change the mapping of user.signup" }).click();
  await page.getByLabel("Canonical type").selectOption({ label: "Login" });
  await page.getByRole("button", { name: "Change the mapping", exact: true }).click();
  const message = page.getByRole("alert").filter({ has: page.getByRole("button", { name: "Undo" }) });
  await message.waitFor();
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  const end = await page.locator("main").getByText(/total$/).last().boundingBox();
  const box = await message.boundingBox();
  assert.ok(end.y + end.height <= box.y, `${end.y + end.height - box.y} px are covered`);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone.").waitFor();
  await analyst.leave();
});

test("what is due later is next, and what has been due is the oldest", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const at = (seconds) => new Date(Date.now() + seconds * 1_000).toISOString();
  await page.route("**/api/system", async (route) => {
    const answer = await route.fetch();
    const json = { ...(await answer.json()), evaluation: { waiting: 2, oldestDueAt: at(45) }, delivery: { waiting: 3, oldestDueAt: at(-120) } };
    await route.fulfill({ response: answer, json });
  });
  await analyst.open("/settings/system");
  const queues = page.getByRole("region", { name: "Queues" });
  await queues.getByText(/next due in \d+ sec/).waitFor();
  await queues.getByText(/oldest due 2 min. ago/).waitFor();
  await analyst.leave();
});

test("Home leads to the rules it has no room for, shows the whole error of a channel, and compares the first day with nothing", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const [example] = (await dregs.call("GET", "/escalations")).content;
  const content = Array.from({ length: 12 }, (_, n) => ({ ...example, id: n + 1, severity: n < 9 ? "CRITICAL" : "INFO", escalationRule: { ...example.escalationRule, id: String(n + 1), label: `Rule ${n + 1}` } }));
  await page.route("**/api/escalations?*", (route) => route.fulfill({ json: { content, pageNumber: 0, pageSize: 100, totalElements: 12, totalPages: 1, totalIsExact: true, first: true, last: true } }));
  await page.route("**/api/escalations/summary", (route) => route.fulfill({ json: { open: 12, acknowledged: 0, closed: 0 } }));
  const lastError = `the endpoint answered 503 Service Unavailable: ${"the queue is full and takes nothing more ".repeat(2)}`.trim();
  await page.route("**/api/channels", async (route) => {
    const channel = { id: 1, type: "WEBHOOK", name: "Shop", slug: "shop", enabled: true, events: ["IDENTITY_SCORED"], config: { url: "https://example.com/" }, health: { status: "FAILING", failures: 3, disablePercent: 0, lastError }, createdAt: example.openedAt, updatedAt: example.openedAt };
    await route.fulfill({ json: [channel] });
  });
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 900 });
    await analyst.open("/");
    const error = page.getByRole("region", { name: "Channels" }).getByText(lastError);
    await error.waitFor();
    assert.ok(await error.evaluate((text) => text.scrollWidth <= text.clientWidth && text.scrollHeight <= text.clientHeight + 1), `cut at ${width}`);
    assert.ok((await analyst.overflow()) <= 0);
    const events = page.getByRole("region", { name: "Events received" });
    await events.locator("[data-figure=events]").waitFor();
    assert.doesNotMatch(await page.locator("main").innerText(), /in the 24 hours before/);
    assert.deepEqual(await analyst.barriers(), []);
  }
  const rows = page.getByRole("list", { name: "Open escalations" }).getByRole("listitem");
  assert.equal(await rows.count(), 9);
  await rows.getByRole("link", { name: "and 4 more of 4 other rules" }).click();
  await page.waitForURL(/\/escalations$/);
  await analyst.leave();
});

test("a time is told in whole sentences, and what took no time was quick", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const at = (seconds) => new Date(Date.now() + seconds * 1_000).toISOString();
  const made = { attempt: 1, trigger: "INITIAL", status: "FAILED", startedAt: at(-60), durationMillis: 0, errorClass: "connect", errorMessage: "connection refused" };
  const delivery = {
    id: 7, channelId: 1, eventId: "e", event: "IDENTITY_SCORED", identityId: null, status: "PENDING", waitsFor: "RETRYING", attemptCount: 1, createdAt: at(-60), nextAttemptAt: at(57),
    attempts: [made, { attempt: 2, trigger: "RETRY", status: "PENDING" }],
  };
  await page.route("**/api/deliveries/7", (route) => route.fulfill({ json: delivery }));
  await page.route("**/api/channels/1", (route) => route.fulfill({ json: { id: 1, type: "EMAIL", name: "Mail", slug: "mail", enabled: true, events: [], config: { recipients: [] }, health: { status: "HEALTHY" } } }));
  await analyst.open("/deliveries/7");
  await page.getByText("under 1 ms").waitFor();
  await page.getByText(/^Due in \d+ sec\. \(this page updates by itself\)$/).waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /\.\./);
  await analyst.leave();
});

test("devices with long names fit a window of 1,280", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await page.route("**/api/devices?*", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const long = { fingerprint: "the-device-of-a-gateway1", userAgent: `Mozilla/5.0 ${"(Windows NT 10.0; Win64; x64) ".repeat(4)}`, ip: "2001:db8:85a3::8a2e:370:7334", asnLabel: "Deutsche Telekom AG", city: "Frankfurt am Main", country: "Germany", identityCount: 12_345, identityCountIsExact: false };
    await route.fulfill({ response: answer, json: { ...body, content: body.content.map((one) => ({ ...one, ...long })) } });
  });
  await analyst.open("/devices");
  const box = page.getByRole("group", { name: "Devices", exact: true });
  await box.getByRole("link", { name: "the-device-of-a-gateway1" }).waitFor();
  const hidden = await box.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.ok(hidden <= 0, `${hidden} px are out of sight`);
  await analyst.leave();
});
