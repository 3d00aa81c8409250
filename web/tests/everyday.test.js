// What people do in the dashboard every day: find somebody and keep the view, make a rule, invite somebody.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Analyst, pictures } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const signUp = (id, name, email) => ({ type: "user.signup", identity: { id, data: { name, email } }, userAgent: "python-requests/2.32", session: id });
  await dregs.call("POST", "/events/batch", [
    signUp("ada", "Ada Lovelace", "ada.lovelace@posteo.de"),
    signUp("bob", "Robert Miller", "robert.miller@posteo.de"),
    signUp("zed", "qwrtzpl", "qwrtzpl@yopmail.com"),
  ]);
  for (const id of ["ada", "bob", "zed"]) await dregs.score(id, "HUMANITY");
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

const names = (desk) => desk.locator("tbody tr td:first-child a").allInnerTexts();

test("a list is filtered and sorted, kept as a view for the team, and taken along as CSV", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/identities");
  await desk.getByRole("button", { name: "Authenticity" }).click();
  await eventually("the least authentic first", async () => (await names(desk))[0] === "qwrtzpl");
  await desk.keyboard.press("/");
  await desk.keyboard.type("posteo");
  await eventually("two", async () => (await names(desk)).length === 2);
  await desk.getByRole("button", { name: "Save this view" }).click();
  await desk.getByRole("textbox", { name: "Name" }).fill("At Posteo");
  await desk.getByRole("button", { name: "Save", exact: true }).click();
  await desk.getByRole("button", { name: "At Posteo", exact: true }).waitFor();

  const waiting = desk.waitForEvent("download");
  await desk.getByRole("link", { name: "Export as CSV" }).click();
  const table = readFileSync(await (await waiting).path(), "utf8").trim().split("\r\n");
  assert.deepEqual(table.slice(1).map((line) => line.split(",")[0]).sort(), ["ada", "bob"]);

  // Another person of the team, in another browser, finds the view.
  const other = await Analyst.arrive(chrome, dregs);
  await other.open("/identities");
  await other.page.getByRole("button", { name: "At Posteo", exact: true }).click();
  await eventually("the view", async () => String((await names(other.page)).sort()) === "Ada Lovelace,Robert Miller");
  await other.page.getByRole("button", { name: "Remove the view At Posteo" }).click();
  await eventually("its removal", async () => (await dregs.call("GET", "/views")).length === 0);
  await other.leave();
  await analyst.leave();
});

test("what is out of range or taken is said at its field, and is not changed unseen", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/retention");
  const events = desk.getByRole("textbox", { name: /^Events/ });
  await events.fill("5");
  await desk.getByRole("button", { name: "Save…" }).click();
  await desk.getByText("From 30 to 36,500 days, or empty to keep them forever.").waitFor();
  assert.equal(await events.inputValue(), "5");
  assert.equal(await desk.getByRole("dialog").count(), 0);
  await analyst.open("/identities?humanityMax=30");
  await desk.getByRole("button", { name: "Save this view" }).click();
  await desk.getByRole("textbox", { name: "Name" }).last().fill("bots");
  await desk.getByRole("button", { name: "Save", exact: true }).click();
  await desk.getByText("There is a view of this name.").waitFor();
  assert.ok(!(await dregs.call("GET", "/views?page=identities")).some(({ name }) => name === "bots"));
  await analyst.leave();
});

test("a list is gone through by keyboard alone", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/identities?sort=id&order=ASC");
  await desk.getByRole("link", { name: "Robert Miller" }).focus();
  await desk.keyboard.press("Enter");
  await desk.waitForURL(`${dregs.url}/identities/bob`);
  await desk.goBack();
  await desk.getByRole("button", { name: "Behavior" }).focus();
  await desk.keyboard.press("Enter");
  await desk.waitForURL(/sort=behaviorScore/);
  await desk.goto(`${dregs.url}/identities?sort=id&order=ASC`);
  await desk.getByRole("link", { name: "Robert Miller" }).waitFor();
  await desk.keyboard.press("j");
  await desk.keyboard.press("j");
  await desk.keyboard.press("Enter");
  await desk.waitForURL(`${dregs.url}/identities/bob`);
  await analyst.leave();
});

test("each score can be made again by hand from what its page shows", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  await analyst.open("/identities/zed");
  const text = await analyst.page.getByRole("region", { name: "Authenticity" }).innerText();
  const details = [...text.matchAll(/value ([\d.]+) · confidence ([\d.]+) · weight ([\d.]+)/g)].map((found) => found.slice(1).map(Number));
  assert.ok(details.length > 0, text);
  const logit = (p) => Math.log(p / (1 - p));
  const sum = details.reduce((sum, [value, confidence, weight]) => sum + weight * confidence * logit(Math.min(Math.max(value, 0.02), 0.98)), logit(0.7));
  const byHand = Math.round(100 / (1 + Math.exp(-sum)));
  const score = await dregs.score("zed", "AUTHENTICITY");
  // What is shown is rounded to three places.
  assert.ok(Math.abs(byHand - score) <= 1, `${byHand} by hand, ${score} by the server, of ${JSON.stringify(details)}`);
  await analyst.leave();
});

test("a rule says whom it matches before it is made, and what it would have opened", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/escalation-rules/new");
  await desk.getByLabel("Name").fill("Scripts");
  const condition = desk.getByRole("group", { name: "Condition 1" });
  await condition.getByLabel("Category").selectOption("HUMANITY");
  await condition.getByRole("textbox", { name: "Threshold" }).fill("50");
  await desk.getByLabel("Sample of matches").getByRole("link", { name: "Ada Lovelace" }).waitFor();
  await desk.getByRole("button", { name: "Run", exact: true }).click();
  await desk.getByRole("img", { name: /3 escalations opened in 91 days/ }).waitFor();
  await desk.getByRole("button", { name: "Create" }).click();
  const made = await eventually("the rule", async () => (await dregs.call("GET", "/escalation-rules")).content.find(({ name }) => name === "Scripts"));
  assert.deepEqual(made.conditions, [{ type: "SCORE_LT", category: "HUMANITY", threshold: 50 }]);
  await analyst.leave();
});

test("whoever is invited joins by a link, and a viewer changes nothing", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  await analyst.open("/settings/team");
  await analyst.page.getByLabel("E-mail").fill("eve@example.com");
  await analyst.page.getByLabel("Role", { exact: true }).selectOption("VIEWER");
  await analyst.page.getByRole("button", { name: "Invite" }).click();
  const link = await analyst.page.locator("[data-secret]").innerText();
  await analyst.page.getByText(/joins as Viewer\./).waitFor();
  await analyst.page.getByRole("button", { name: "I have saved it" }).click();
  await analyst.open("/settings/team");
  await analyst.page.getByRole("row", { name: /eve@example\.com/ }).getByText("in 7 days").waitFor();
  await analyst.leave();

  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByLabel("Your name").fill("Eve");
  await page.locator("input[type=password]").fill("a long password");
  await page.getByRole("button", { name: "Join" }).click();
  await page.locator("[data-figure=identities]", { hasText: /^3$/ }).waitFor();
  await page.goto(`${dregs.url}/identities/ada`);
  await page.getByRole("heading", { name: "Ada Lovelace" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Rescore now" }).count(), 0);
  await page.goto(`${dregs.url}/settings/channels`);
  await page.getByRole("heading", { name: "Channels", exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: "New channel" }).count(), 0);
  await context.close();
});

test("what needs somebody comes first; where nothing does, what is left to set up", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const panels = async () => (await desk.locator("main h2").allInnerTexts()).filter((title) => /attention|next/.test(title)).join();
  await eventually("what needs attention first", async () => /^Needs attention \(\d+ open\),What comes next$/.test(await panels()));
  const { content } = await dregs.call("GET", "/escalations?status=OPEN&pageSize=100");
  for (const { id } of content) await dregs.call("PATCH", `/escalations/${id}`, { status: "CLOSED" });
  await eventually("what comes next first", async () => (await panels()) === "What comes next,Needs attention");
  await analyst.leave();
});

test("where the server names code, the page shows it as code", async () => {
  const own = await Dregs.start(() => []);
  try {
    const signUp = (n) => ({ type: "user.signup", identity: { id: `user_${n}` }, ip: "203.0.113.7", userAgent: "Acme/1.0" });
    await own.call("POST", "/events/batch", Array.from({ length: 30 }, (_, n) => signUp(n)));
    const analyst = await Analyst.arrive(chrome, own);
    const { page: desk } = analyst;
    for (const path of ["/", "/settings/system"]) {
      await analyst.open(path);
      const hint = desk.getByRole("alert", { name: "Your integration sends the same for most of your users" });
      await hint.waitFor();
      const code = await hint.locator("code").allInnerTexts();
      assert.deepEqual(["userAgent", "ip", "trusted_proxies"].filter((name) => !code.includes(name)), [], `${path} ${code}`);
      assert.ok(!(await hint.innerText()).includes("`"), path);
    }
    await analyst.open("/badge-rules/new");
    await desk.getByLabel("Name").fill("Card testing");
    await desk.getByRole("button", { name: "Create" }).click();
    await desk.locator("code", { hasText: /^card-testing$/ }).waitFor();
    assert.ok(!(await desk.locator("main").innerText()).includes("`"));
    await analyst.context.close();
  } finally {
    await own.stop();
  }
});

test("the audit log calls what was changed by its name, also when that is gone, and links what is there", async () => {
  const post = (path, body) => dregs.call("POST", path, body);
  const conditions = [{ type: "SCORE_LT", category: "HUMANITY", threshold: 1 }];
  const rule = await post("/escalation-rules", { name: "First name", severity: "INFO", conditions });
  await dregs.call("PUT", `/escalation-rules/${rule.id}`, { name: "Later name", severity: "INFO", conditions });
  const gone = await post("/badge-rules", { name: "Short-lived", type: "BAD", conditions });
  await dregs.call("DELETE", `/badge-rules/${gone.id}`);
  const list = await post("/lists", { name: "Our offices", type: "NETWORK" });
  const emptied = await post("/lists", { name: "Old offices", type: "NETWORK" });
  for (const { id } of [list, emptied]) await post(`/lists/${id}/entries`, { entries: [{ value: "192.0.2.0/24" }] });
  await dregs.call("DELETE", `/lists/${emptied.id}`);
  const counter = await post("/counters", { name: "Logins lately", function: "COUNT", per: "identity.id", windowSeconds: 3_600, conditions: [] });
  const channel = await post("/channels", { type: "WEBHOOK", name: "Pager of ours", events: ["identity.scored"], config: { url: "https://example.com/hook" } });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const targets = () => page.locator("[data-title=Target]").allInnerTexts();
  const all = (type) => `/settings/audit-log?targetType=${type}&pageSize=50`;
  for (const [type, id, name, href] of [
    ["escalation-rule", rule.id, "Escalation rule “Later name”", `/escalation-rules/${rule.id}`], ["badge-rule", gone.id, "Badge rule “Short-lived”", null],
    ["list", list.id, "List “Our offices”", `/settings/lists/${list.id}`], ["list", emptied.id, "List “Old offices”", null],
    ["counter", counter.id, "Counter “Logins lately”", "/settings/counters"], ["channel", channel.id, "Channel “Pager of ours”", `/settings/channels/${channel.id}`],
  ]) {
    await analyst.open(`${all(type)}&targetId=${id}`);
    await eventually(`${name} to be named`, async () => (await targets()).length > 0 && (await targets()).every((text) => text === name));
    const hrefs = await page.locator("[data-title=Target] a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    assert.deepEqual([...new Set(hrefs)], href === null ? [] : [href], name);
  }
  await analyst.open(`${all("escalation-rule")}&targetId=${rule.id}&action=escalation-rule.create`);
  await page.getByRole("group", { name: "Audit log" }).locator("summary").first().click();
  await page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "Condition 1" }) }).getByText("Humanity below 1").waitFor();
  // An entry without the name, of what is gone: the deletion has it.
  await analyst.open(`${all("list")}&targetId=${emptied.id}&action=list-entry.create`);
  await eventually("its slug", async () => /^List “(Old offices|old-offices)”$/.test((await targets()).join()));
  // A list of accounts does not say more of people than their colleagues know.
  await analyst.open(all("user"));
  await eventually("the account", async () => (await targets()).some((text) => /^Account “.+”$/.test(text)));
  await analyst.open("/settings/audit-log");
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "audit-log");
  for (const path of [`/escalation-rules/${rule.id}`, `/lists/${list.id}`, `/counters/${counter.id}`, `/channels/${channel.id}`]) await dregs.call("DELETE", path);
  await analyst.leave();
});

test("whoever gives an agent a token sees in the audit log what it did, and through which", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/mcp-tokens");
  await desk.getByRole("button", { name: "New token" }).click();
  await desk.getByRole("textbox", { name: "Name" }).fill("Night watch");
  await desk.getByRole("button", { name: "Create", exact: true }).click();
  const command = await desk.getByText("claude mcp add").innerText();
  const token = /mcp_[0-9a-f]+/.exec(command)[0];
  await desk.getByRole("button", { name: "I have saved it" }).click();

  const called = await fetch(/http:\S+\/mcp/.exec(command)[0], {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "set_identity_disregarded", arguments: { id: "zed", disregarded: true } } }),
  });
  assert.equal(called.status, 200, await called.text());
  await analyst.open("/settings/audit-log");
  await desk.getByText("(by Night watch)").first().waitFor();
  await analyst.barriers("/settings/mcp-tokens");
  await analyst.leave();
});

test("whoever cannot be added to a group is named at the field, until the next try", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await dregs.call("POST", "/events", { type: "user.login", identity: { id: "ada" }, groups: [{ type: "organization", id: "acme" }] });
  await eventually("the group", async () => (await dregs.call("GET", "/groups")).content.length === 1);
  await analyst.open("/groups/organization/acme");
  const add = async (id) => {
    await desk.getByRole("textbox", { name: "Identity id" }).fill(id);
    await desk.getByRole("button", { name: "Add to the group" }).click();
  };
  await add("no-such-one");
  const refusal = desk.getByText("no-such-one is not known.");
  await refusal.waitFor();
  assert.equal(await desk.getByText("That did not work").count(), 0);
  // Chromium tells of the refusal in the console.
  assert.match(String(analyst.complaints.splice(0)), /^[^,]*status of 404[^,]*$/);
  await add("bob");
  await desk.getByText("bob added.").waitFor();
  assert.equal(await refusal.count(), 0);
  await analyst.leave();
});

test("the navigation says where one is on every page of a place", async () => {
  const { id } = await dregs.call("POST", "/channels", { type: "SLACK", name: "Ops", events: ["identity.labeled"], config: { url: "https://hooks.slack.com/services/T0/B0/x" } });
  await dregs.call("POST", `/channels/${id}/actions/test`, { event: "identity.labeled" });
  const delivery = await eventually("a delivery", async () => (await dregs.call("GET", `/channels/${id}/deliveries`)).content[0]);
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  for (const [path, place] of [["/rules", "Rules"], ["/badge-rules/new", "Rules"], ["/escalation-rules/new", "Rules"], [`/deliveries/${delivery.id}`, "Settings"], ["/events", "Events"]]) {
    await analyst.open(path);
    assert.deepEqual(await desk.getByRole("navigation", { name: "Main" }).locator("a[aria-current=page][data-status=active]").allInnerTexts(), [place], path);
  }
  await analyst.leave();
});

test("a new channel says at its type and its URL what will not work", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/channels");
  await desk.getByRole("button", { name: "New channel" }).click();
  const dialog = desk.getByRole("dialog");
  await dialog.getByLabel("Type").selectOption("E-mail");
  await dialog.getByText("There is no mail server").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await dialog.getByLabel("Type").selectOption("Slack");
  const warning = dialog.getByText("Slack’s own webhooks begin with https://hooks.slack.com/.");
  await dialog.getByLabel("URL").fill("https://hooks.slack.com/services/T0/B0/x");
  assert.equal(await warning.count(), 0);
  await dialog.getByLabel("URL").fill("https://example.com/services/T0/B0/x");
  await warning.waitFor();
  assert.equal(await dialog.getByText("There is no mail server").count(), 0);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});

test("a chip is whole, and beside the name that it is about", async () => {
  const event = (id, name) => ({ type: "user.signup", identity: { id, data: { name, email: `${id}@posteo.de` } } });
  await dregs.call("POST", "/events/batch", [event("short", "Bo"), event("long", "Maximiliane Alexandra Theodora von Hohenfels zu Langenburg")]);
  for (const id of ["short", "long"]) await eventually(id, async () => dregs.call("PATCH", `/identities/${id}`, { disregarded: true }).then(() => true, () => false));
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  for (const path of ["/identities?disregarded=true", "/events", "/settings/team"]) {
    await analyst.open(path);
    await desk.locator("tbody tr").first().waitFor();
    const chips = await desk.locator("tbody td:first-child .chip, tbody .break + .chip").evaluateAll((all) => all.map((chip) => {
      const before = chip.previousElementSibling;
      const words = document.createRange();
      words.selectNodeContents(before);
      const end = Math.min(before.getBoundingClientRect().right, words.getBoundingClientRect().right);
      return { said: `${before.textContent}, ${chip.textContent}`, cut: chip.scrollWidth - chip.clientWidth, away: Math.round(chip.getBoundingClientRect().left - end) };
    }));
    assert.ok(chips.length > 0, path);
    assert.deepEqual(chips.filter(({ cut, away }) => cut > 0 || away > 16), [], path);
  }
  await analyst.leave();
});

test("the tooltip of the live updates leaves the search free", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/");
  const live = desk.locator("nav .live");
  await live.focus();
  const tooltip = desk.getByRole("tooltip");
  await tooltip.waitFor();
  const [over, search] = [await tooltip.boundingBox(), await desk.getByRole("navigation", { name: "Main" }).locator("button, input").first().boundingBox()];
  assert.ok(over.y + over.height <= search.y || over.x >= search.x + search.width, JSON.stringify({ over, search }));
  await live.blur();
  await tooltip.waitFor({ state: "detached" });
  await analyst.leave();
});

test("whoever does not get in is told so in one sentence", async () => {
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.goto(`${dregs.url}/sign-in`);
  await page.getByLabel("E-mail").fill("admin@example.com");
  await page.locator("input[type=password]").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").innerText(), /^The e-mail address or the password is wrong\. .* dregs users reset-password\.$/);
  await context.close();
});
