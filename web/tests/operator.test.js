// Whoever is on call, and whoever sets things up: what failed is found and sent again, a page that was refused is
// allowed, a device says what it is made of.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { Receiver } from "./receiver.js";
import { browser, Dregs, eventually, Shop } from "./support.js";

let dregs, chrome, receiver, shop, channel;

before(async () => {
  receiver = await Receiver.open();
  shop = await Shop.open();
  dregs = await Dregs.start(() => ["https://shop.example.com"], { DREGS_EGRESS_ALLOW: "127.0.0.0/8", DREGS_RETRY_SCHEDULE: "3600" });
  shop.dregs = dregs;
  chrome = await browser();
  channel = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "App", events: ["identity.scored"], config: { url: receiver.url } });
  receiver.secret = channel.signingSecret;
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  receiver?.close();
  shop?.close();
});

const signUp = (id, name) => dregs.call("POST", "/events", { type: "user.signup", identity: { id, data: { name } } });
const deliveries = async (filter) => (await dregs.call("GET", `/channels/${channel.id}/deliveries?${filter}`)).content;

test("while an endpoint is down its log says what failed and what is held, and a chosen few are sent again", async () => {
  await signUp("ann", "Kim Lee");
  await eventually("a delivery", async () => (await deliveries("status=DELIVERED")).length === 1);
  receiver.status = 503;
  for (const id of ["ben", "cas", "dan", "eli", "fay"]) {
    await signUp(id, "Kim Lee");
    await eventually(`an attempt about ${id}`, async () => (await deliveries(`identity=${id}&httpStatus=503`)).length === 1);
  }
  await signUp("gil", "Kim Lee");
  await eventually("what is held", async () => (await deliveries("status=HELD&identity=gil")).length === 1);

  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/settings/channels/${channel.id}`);
  const rows = desk.getByRole("group", { name: "Deliveries" }).locator("tbody tr");
  const shows = (...counts) => eventually(`${counts} rows`, async () => counts.includes(await rows.count()));
  await desk.getByLabel("Any status").selectOption("HELD");
  await shows(6);
  await desk.getByLabel("Any status").selectOption("RETRYING");
  // The one that was held may have been tried meanwhile, to see whether the endpoint works again.
  await shows(5, 6);
  const text = await rows.filter({ hasText: "ben" }).innerText();
  assert.match(text, /Held/);
  assert.match(text, /503/);
  assert.match(text, /the endpoint answered 503/);
  await desk.getByLabel("Any status").selectOption("");
  await desk.getByLabel("HTTP status").fill("5xx");
  await shows(5, 6);
  await desk.getByLabel("Text of the error").fill("no such text");
  await desk.getByText("No matching deliveries").waitFor();
  await desk.getByRole("button", { name: "Clear filters" }).click();
  await shows(7);
  assert.deepEqual(await analyst.barriers(), []);

  // The endpoint works again; two of them are sent at once, and the others wait.
  receiver.status = 200;
  const chosen = ["ben", "cas"];
  for (const id of chosen) await rows.filter({ hasText: id }).getByRole("checkbox").check();
  await desk.getByRole("region", { name: "Chosen deliveries" }).getByText("2 chosen").waitFor();
  await desk.getByRole("button", { name: "Send them again" }).click();
  await desk.getByText("2 queued, with the same event ids.").waitFor();
  const resent = async (id) => {
    const [delivery] = await deliveries(`identity=${id}`);
    const { attempts } = await dregs.call("GET", `/deliveries/${delivery.id}`);
    return attempts.some(({ trigger }) => ["RESEND", "PROBE"].includes(trigger));
  };
  for (const id of chosen) await eventually(`the repeat about ${id}`, () => resent(id));
  await desk.getByRole("region", { name: "Chosen deliveries" }).waitFor({ state: "detached" });

  const activity = desk.getByRole("region", { name: "Success and latency" });
  await activity.getByRole("img", { name: /Share of deliveries that arrived/ }).waitFor();
  await activity.getByText(/% : |%: \d+ of \d+/).waitFor();
  await analyst.leave();
});

test("a channel without an event is refused in the words of the form, once", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/channels");
  await desk.getByRole("button", { name: "New channel" }).click();
  await desk.getByRole("button", { name: "Create" }).click();
  const dialog = desk.getByRole("dialog");
  for (const missing of ["Enter a name.", "Enter a URL.", "Select at least one"]) await dialog.getByText(missing).waitFor();
  assert.equal(await desk.evaluate(() => document.activeElement.closest(".mantine-TextInput-root").textContent.split(/\W/)[0]), "Name");
  await desk.getByLabel("Name", { exact: false }).fill("Silent");
  await desk.getByLabel("URL").fill("ftp://example.com/");
  await desk.getByRole("button", { name: "Create" }).click();
  await desk.getByText("Select at least one").waitFor();
  await desk.getByLabel("Identity scored").check();
  await desk.getByRole("button", { name: "Create" }).click();
  await dialog.getByText(/^Must start with/).waitFor();
  const words = (await dialog.innerText()).toLowerCase();
  assert.equal(words.match(/must start with/g).length, 1, words);
  assert.ok(!words.includes("config.url"), words);
  assert.equal(await desk.getByLabel("URL").getAttribute("aria-invalid"), "true");
  // What was refused stays to be mended, however often, and can be left.
  await desk.getByLabel("URL").fill("http://10.0.0.1/x");
  await desk.getByRole("button", { name: "Create" }).click();
  await dialog.getByText(/^10\.0\.0\.1 is/).waitFor();
  assert.equal(await desk.getByLabel("Name", { exact: false }).inputValue(), "Silent");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await desk.getByRole("heading", { name: "Channels" }).waitFor();
  assert.equal((await dregs.call("GET", "/channels")).length, 1);
  // Chromium tells its console of each refusal.
  analyst.complaints.splice(0);
  await analyst.leave();
});

test("a channel that no rule names says that it is told of no escalation", async () => {
  const channel = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "Pager", events: ["escalation.opened"], config: { url: receiver.url } });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/settings/channels/${channel.id}`);
  await desk.getByText("No rule names this channel").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  const conditions = [{ type: "SCORE_LT", category: "HUMANITY", threshold: 1 }];
  const rule = await dregs.call("POST", "/escalation-rules", { name: "Paged", severity: "INFO", channels: [channel.slug], conditions });
  await analyst.open(`/settings/channels/${channel.id}`);
  await desk.getByText("Escalation opened").first().waitFor();
  await desk.waitForLoadState("networkidle");
  assert.equal(await desk.getByText("No rule names this channel").count(), 0);
  await dregs.call("DELETE", `/escalation-rules/${rule.id}`);
  await dregs.call("DELETE", `/channels/${channel.id}`);
  await analyst.leave();
});

test("a threshold that no score has is said where it stands, and is not put right unseen", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/escalation-rules/new");
  const threshold = desk.getByRole("textbox", { name: "Threshold" });
  await threshold.fill("500");
  await desk.getByText("0 to 100").waitFor();
  await desk.getByText("Available once every condition is complete.").waitFor();
  await desk.getByLabel("Name", { exact: false }).fill("Too high");
  await desk.getByRole("button", { name: "Create", exact: false }).click();
  await desk.getByText("Must be from 0 to 100.").waitFor();
  assert.equal(await threshold.inputValue(), "500");
  await threshold.fill("50");
  await desk.getByText("0 to 100").waitFor({ state: "detached" });
  // Chromium tells its console of each refusal.
  analyst.complaints.splice(0);
  await analyst.leave();
});

test("an address that leads nowhere says so beside the places there are, and that of a list leads to it", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  for (const path of ["/nowhere", "/settings/nothing", "/identities/ann/further"]) {
    await desk.goto(dregs.url + path);
    await desk.getByRole("heading", { name: "Page not found" }).waitFor();
    await desk.getByRole("navigation", { name: "Main" }).waitFor();
  }
  for (const [path, to] of [["/badge-rules", "/rules"], ["/escalation-rules", "/rules"], ["/channels", "/settings/channels"], ["/deliveries", "/settings/channels"]]) {
    await desk.goto(dregs.url + path);
    await desk.waitForURL(dregs.url + to);
  }
  await analyst.leave();
});

test("what opens while somebody is at the queue moves no row until it is asked for", async () => {
  const rule = await dregs.call("POST", "/escalation-rules", { name: "Scripts", severity: "INFO", conditions: [{ type: "SCORE_LT", category: "HUMANITY", threshold: 30 }] });
  const open = async (id) => {
    await dregs.call("POST", "/events", { type: "user.login", identity: { id }, ip: "203.0.113.7", userAgent: "python-requests/2.32" });
    await eventually(`the escalation of ${id}`, async () => (await dregs.call("GET", `/escalations?identity=${id}`)).content.length > 0);
  };
  for (const id of ["script-1", "script-2", "script-3"]) await open(id);
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/escalations?rule=${rule.id}`);
  const rows = () => desk.locator("[role=option] bdi:first-child").allInnerTexts();
  assert.deepEqual(await rows(), ["script-3", "script-2", "script-1"]);
  await open("script-4");
  await desk.getByText("1 new").waitFor();
  assert.deepEqual(await rows(), ["script-3", "script-2", "script-1"]);
  // One that is done with goes, and what is new still waits.
  await desk.keyboard.press("a");
  await eventually("the next", async () => (await rows()).join() === "script-2,script-1");
  await desk.getByRole("button", { name: "Show", exact: true }).click();
  assert.deepEqual(await rows(), ["script-4", "script-2", "script-1"]);
  await desk.locator("[role=option][aria-selected=true]", { hasText: "script-2" }).waitFor();
  // Whoever is through sees what has come meanwhile.
  await open("script-5");
  await desk.getByText("1 new").waitFor();
  for (const id of ["script-2", "script-1", "script-4"]) {
    await desk.locator("[role=option]", { hasText: id }).click();
    await desk.keyboard.press("a");
  }
  await eventually("the new one", async () => (await rows()).join() === "script-5");
  assert.deepEqual(await analyst.barriers(), []);
  // What a rule has opened stays when it is gone.
  await dregs.call("DELETE", `/escalation-rules/${rule.id}`);
  await analyst.open("/escalations?status=ALL&identity=script-5");
  await desk.getByText("Scripts has been deleted.").waitFor();
  await analyst.leave();
});

test("a page of an origin that no credential allows is told of, and allowed with one click", async () => {
  shop.says("dregs('identify', 'visitor', { name: 'Vera Visitor' })");
  const visitor = await chrome.newContext();
  const page = await visitor.newPage();
  await page.goto(shop.url);
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/credentials");
  await desk.getByText(shop.url).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await desk.getByRole("button", { name: `Allow ${shop.url}` }).click();
  await desk.getByText("were refused").waitFor({ state: "detached" });
  // What the page has kept arrives by itself.
  await dregs.saw("visitor", "dregs_identify");
  await visitor.close();

  const [{ id: eventId, fingerprint }] = await dregs.events("visitor");
  await analyst.open(`/devices/${fingerprint}`);
  const made = desk.getByRole("group", { name: "In the fingerprint" });
  await made.locator("tr", { hasText: "Canvas drawing" }).filter({ hasText: "Drawing" }).waitFor();
  await made.locator("tr", { hasText: "Processor threads" }).filter({ hasText: "Machine" }).waitFor();
  await desk.getByText(/^Not in the fingerprint/).click();
  await desk.getByRole("group", { name: "Not in the fingerprint" }).getByText("Languages").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open(`/events/${eventId}`);
  await desk.getByRole("region", { name: "Device, as dregs.js saw it" }).getByText("hardwareConcurrency").waitFor();
  await desk.getByRole("region", { name: "Data of the identity" }).getByText("Vera Visitor").waitFor();
  await analyst.leave();
});

test("rows stay under the hand, and say who they are", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/identities?sort=lastTrackedAt&order=DESC");
  const ids = () => desk.locator("tbody tr td:first-child").allInnerTexts();
  const before = await ids();
  assert.ok(before.filter((text) => text.startsWith("Kim Lee")).length > 3, String(before));
  assert.equal(new Set(before).size, before.length, "two rows say the same of different people");
  await desk.locator("tbody tr").nth(2).hover();
  await dregs.call("POST", "/events", { type: "user.login", identity: { id: "ann" } });
  await desk.getByText("Rows have come or moved").waitFor();
  assert.deepEqual(await ids(), before);
  // Whoever looks from afar sees it at once.
  await desk.mouse.move(5, 5);
  await eventually("the list as it is", async () => (await ids())[0].includes("ann"));
  await dregs.call("POST", "/events", { type: "user.login", identity: { id: "ben" } });
  await eventually("the newest first", async () => (await ids())[0].includes("ben"));
  // By keys, too, until one asks for it.
  await desk.keyboard.press("j");
  await dregs.call("POST", "/events", { type: "user.login", identity: { id: "cas" } });
  await desk.getByRole("button", { name: "Show the list as it is now" }).click();
  await eventually("the list as it is", async () => (await ids())[0].includes("cas"));
  await analyst.leave();
});

test("when something was received is told apart from when it happened", async () => {
  const fingerprint = "abcdefabcdefabcdefabcdefabcdef12";
  const timestamp = new Date(Date.now() - 3 * 86_400_000).toISOString();
  await dregs.call("POST", "/events", { type: "user.login", timestamp, identity: { id: "imported" }, device: { fingerprint }, groups: [{ type: "team", id: "importers" }] });
  await dregs.saw("imported", "user.login");
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  const said = (row, title) => row.locator(`[data-title="${title}"]`).innerText();
  const [now, then] = ["just now", "3 days ago"];
  const isNow = (text) => text === now || /sec\. ago$/.test(text);
  for (const [path, text, title, is] of [
    ["/identities?term=imported", "imported", "Last received", isNow], ["/groups?term=importers", "importers", "Last received", isNow],
    [`/devices/${fingerprint}`, "imported", "Last received", isNow], ["/devices?identity=imported", "abcdef", "Last event", (text) => text === then],
    ["/identities/imported?tab=devices", "abcdef", "Last event", (text) => text === then],
  ]) {
    await analyst.open(path);
    const row = desk.locator("tbody tr", { hasText: text }).first();
    await row.waitFor();
    const at = await said(row, title);
    assert.ok(is(at), `${path} says “${title} ${at}”`);
  }
  for (const [path, about] of [
    ["/identities/imported", /Last received (just now|\d+ sec\. ago)/], [`/devices/${fingerprint}`, /Last event\s+3 days ago/], ["/groups/team/importers", /Last received\s+(just now|\d+ sec\. ago)/],
  ]) {
    await analyst.open(path);
    await eventually(`${path} to say ${about}`, async () => about.test(await desk.locator("main").innerText()));
  }
  await analyst.leave();
});

test("a name that turns the writing round is shown as it is, and turns nothing beside it", async () => {
  const turned = "Ada \u202Eecalevol\u202C";
  await signUp("turned-\u2067id", turned);
  await eventually("its name", async () => (await dregs.call("GET", "/identities?term=ecalevol")).content.length === 1);
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/identities?term=ecalevol");
  const row = desk.locator("tbody tr").first();
  assert.match(await row.innerText(), /^Ada \[U\+202E\]ecalevol\[U\+202C\]/);
  assert.match(await row.innerText(), /turned-\[U\+2067\]id/);
  await row.getByRole("link").first().click();
  await desk.getByRole("heading", { name: "Ada [U+202E]ecalevol[U+202C]" }).waitFor();
  assert.doesNotMatch(await desk.title(), /[\u202A-\u202E\u2066-\u2069]/);
  await analyst.leave();
});

test("what nobody sees stands there by its number, and can be clicked", async () => {
  const group = { type: "team", id: "\u200B\u2800" };
  for (const [id, name] of [["\u200B", undefined], ["\u{1BCA0}x", "\u3164"]]) {
    await dregs.call("POST", "/events", { type: "user.login", identity: { id, data: { name } }, groups: [group] });
    await eventually(`${id} to be there`, async () => (await dregs.call("GET", `/identities/${encodeURIComponent(id)}`)).id === id);
  }
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/identities?pageSize=100");
  for (const said of ["[U+200B]", "[U+3164]"]) {
    const link = desk.locator("tbody").getByRole("link", { name: said, exact: true });
    assert.ok((await link.boundingBox()).width > 20, said);
  }
  await desk.locator("tbody").getByText("[U+1BCA0]x", { exact: true }).waitFor();
  await desk.getByRole("link", { name: "[U+200B]", exact: true }).click();
  await desk.getByRole("heading", { name: "[U+200B]", exact: true }).waitFor();
  await analyst.open("/groups");
  await desk.locator("tbody").getByRole("link", { name: "[U+200B][U+2800]", exact: true }).waitFor();
  await analyst.leave();
});

test("one status of the queue is shown as chosen, and a badge is found by its name", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  for (const [path, expected] of [["", "Open"], ["?status=CLOSED", "Closed"], ["?status=ALL&severity=CRITICAL", "All"], ["?severity=INFO", "Open"]]) {
    await analyst.open(`/escalations${path}`);
    const chosen = desk.getByRole("navigation", { name: "Status" }).locator("[aria-current]");
    assert.deepEqual((await chosen.allInnerTexts()).map((text) => text.replace(/[\d,+\s]+$/, "")), [expected], path);
  }
  const rule = await dregs.call("POST", "/badge-rules", { name: "Seen here", type: "GOOD", conditions: [{ type: "SCORE_GTE", category: "ANY", threshold: 0 }] });
  await dregs.call("POST", "/events", { type: "user.login", identity: { id: "ann" }, userAgent: "python-requests/2.32" });
  await eventually("the badge", async () => (await dregs.call("GET", `/identities?badge=${rule.slug}`)).content.length > 0);
  await analyst.open("/identities");
  await desk.getByRole("combobox", { name: "Badge" }).fill("seen here");
  await desk.waitForURL(new RegExp(`badge=${rule.slug}`));
  await desk.locator("tbody tr", { hasText: "ann" }).waitFor();
  await analyst.leave();
});

test("the first chart of a newcomer has different marks, and a legend that says something", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  // What is drawn on a canvas, since it was cleared.
  await desk.addInitScript(() => {
    const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...box) {
      this.canvas.drawn = [];
      return clearRect.apply(this, box);
    };
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
      this.canvas.drawn?.push({ text, x, width: this.measureText(text).width, y });
      return fillText.call(this, text, x, y, ...rest);
    };
  });
  await analyst.open("/identities/gil");
  const chart = desk.getByRole("img", { name: /The four scores/ });
  await chart.waitFor();
  const legend = await chart.locator(".u-legend").innerText();
  assert.match(legend, /Time:?\s*\w{3}\s\d{1,2},\s\d{4}/);
  assert.match(legend, /Authenticity:?\s*(\d+|–)/);
  const drawn = await chart.locator("canvas").evaluate((canvas) => canvas.drawn);
  // The axis of the times stands below all else; a day stands below the time at which it begins.
  const below = Math.max(...drawn.filter(({ text }) => text === "0").map(({ y }) => y));
  const times = drawn.filter(({ y, text }) => y > below && text.includes(":")).toSorted((one, other) => one.x - other.x);
  assert.ok(times.length >= 2, JSON.stringify(drawn));
  assert.deepEqual(new Set(times.map(({ text }) => text)).size, times.length, "each mark says another time");
  for (const [n, { x, width }] of times.entries()) assert.ok(n === 0 || x - width / 2 > times[n - 1].x + times[n - 1].width / 2, "marks overprint");
  await analyst.leave();
});
