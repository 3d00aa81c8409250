// What somebody frowns at who looks closely: filters out of sight, errors in the console, an order that helps nobody.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { browser, Dregs, eventually, PATIENCE_MS } from "./support.js";

const ROOT = new URL("../..", import.meta.url).pathname;

let dregs, chrome, channel;

before(async () => {
  dregs = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8", DREGS_RETRY_SCHEDULE: "1" });
  chrome = await browser();
  channel = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "App", events: ["identity.scored"], config: { url: "http://127.0.0.1:9/hook" } });
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

/** What of the bars of filters is wider than its bar, or beside it. */
function outOfBars() {
  const bars = [...document.querySelectorAll(".filters")].filter((bar) => bar.getClientRects().length > 0);
  if (bars.length === 0) return ["there is none"];
  return bars.flatMap((bar) => {
    const { left, right } = bar.getBoundingClientRect();
    const name = (element) => element.getAttribute("aria-label") ?? element.textContent.slice(0, 30);
    const beside = [...bar.querySelectorAll("*")].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && (box.left < left - 1 || box.right > right + 1 || box.right > innerWidth);
    });
    const over = [...bar.children].flatMap((child) => {
      const own = child.getBoundingClientRect();
      return [...child.querySelectorAll("input, select, button")].filter((element) => element.getBoundingClientRect().right > own.right + 1);
    });
    // No words have room in these.
    const cut = [...bar.querySelectorAll("select, input, button")].filter((element) => element.clientWidth < 60 && (element.value || element.textContent || element.placeholder));
    return [
      ...(bar.scrollWidth > bar.clientWidth ? [`a bar scrolls ${bar.scrollWidth - bar.clientWidth} px`] : []),
      ...over.map((element) => `${name(element)} covers what is next to it`),
      ...beside.map((element) => `${name(element)} is outside`),
      ...cut.map((element) => `${name(element)} is ${element.clientWidth} px wide`),
    ];
  });
}

test("no filter of a list is out of sight on a phone", async () => {
  const lists = [
    "/identities", "/identities?badge=card-testing", "/events", "/devices", "/groups", "/escalations", "/rules", `/settings/channels/${channel.id}`,
    `/settings/channels/${channel.id}?status=PENDING`, "/settings/datasets?dataset=disposable-email-domains", "/settings/mappings", "/settings/audit-log",
  ];
  for (const width of [390, 320, 1280]) {
    const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width, height: 844 } });
    for (const path of lists) {
      await analyst.open(path);
      await analyst.page.locator(".filters").first().waitFor();
      assert.deepEqual(await analyst.page.evaluate(outOfBars), [], `${path} at ${width}`);
    }
    await analyst.leave();
  }
});

test("whoever is not signed in comes to the form without an error in the console", async () => {
  const context = await chrome.newContext();
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  await page.goto(`${dregs.url}/identities`);
  await page.waitForURL(/\/sign-in\?to=%2Fidentities$/);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  // As of somebody whose session has ended.
  await context.addCookies([{ name: "dregs_session", value: "st_ended", url: dregs.url }]);
  await page.goto(dregs.url);
  await page.waitForURL(/\/sign-in$/);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the queue has what is gravest first, then what is newest, and says so; what is closed comes by time", async () => {
  const all = (await dregs.call("GET", "/escalation-rules")).content;
  for (const { id } of all) await dregs.call("DELETE", `/escalation-rules/${id}`);
  const rule = (severity) => ({ name: "Low", severity, conditions: [{ type: "SCORE_LT", category: "ANY", threshold: 60 }] });
  const { id: ruleId } = await dregs.call("POST", "/escalation-rules", rule("INFO"));
  for (const [id, severity] of [["first", "WARNING"], ["second", "CRITICAL"], ["third", "INFO"], ["fourth", "CRITICAL"]]) {
    await dregs.call("PUT", `/escalation-rules/${ruleId}`, rule(severity));
    await dregs.call("POST", "/events", { type: "user.signup", identity: { id, data: { name: id, email: "qwrtzpl@yopmail.com" } }, ip: "203.0.113.7", userAgent: "python-requests/2.32" });
    await eventually(`the escalation of ${id}`, async () => (await dregs.call("GET", `/escalations?identity=${id}`)).content.length > 0);
  }
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const order = () => page.getByLabel(/Worst, then|Newest first|Oldest first/);
  const shown = async () => (await page.locator("[role=option] bdi:first-child").allInnerTexts()).join();
  const comes = async (expected) => {
    const end = Date.now() + PATIENCE_MS;
    while ((await shown()) !== expected && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await shown(), expected);
  };
  await analyst.open("/escalations");
  await comes("fourth,second,first,third");
  assert.equal(await order().evaluate((select) => select.selectedOptions[0].text), "Worst, then newest");
  await order().selectOption("Oldest first");
  await comes("first,second,third,fourth");
  await order().selectOption("Newest first");
  await comes("fourth,third,second,first");
  for (const { id } of (await dregs.call("GET", "/escalations?status=OPEN")).content) await dregs.call("PATCH", `/escalations/${id}`, { status: "CLOSED" });
  await analyst.open("/escalations?status=ACKNOWLEDGED");
  await page.getByText("No acknowledged escalations").waitFor();
  await analyst.open("/escalations?status=CLOSED");
  await comes("fourth,third,second,first");
  assert.equal(await order().evaluate((select) => select.selectedOptions[0].text), "Newest first");
  await analyst.leave();
});

test("an example in the log names whom it tells of, and leads to nobody", async () => {
  await dregs.call("POST", `/channels/${channel.id}/actions/test`, { event: "escalation.opened" });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open(`/settings/channels/${channel.id}?event=ESCALATION_OPENED`);
  const row = page.getByRole("group", { name: "Deliveries", exact: true }).getByRole("row").nth(1);
  await row.getByText("user_12345 (example)").waitFor();
  assert.equal(await row.getByRole("link", { name: /user_12345/ }).count(), 0);
  await row.getByRole("link").first().click();
  await page.getByText("user_12345 (example)").waitFor();
  await analyst.leave();
});

test("a name in an address that is none is told of, with the one that may be meant", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/identities?badge=card-tsting");
  await page.getByRole("alert").getByText("did you mean card-testing?").waitFor();
  await analyst.open("/escalations?rule=999");
  await page.getByRole("alert").getByText(/is the number of no escalation rule/).waitFor();
  // Chromium tells of each refusal in the console.
  assert.deepEqual(analyst.complaints.splice(0).filter((text) => !text.includes("400 (Bad Request)")), []);
  await analyst.leave();
});

test("a dataset says when it was updated, and not how fresh it is", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/settings/datasets");
  const box = page.getByRole("group", { name: "Datasets", exact: true });
  assert.deepEqual(await box.locator("th").allInnerTexts(), ["Dataset", "Built-in", "Custom", "Updated"]);
  assert.doesNotMatch(await box.innerText(), /fresh/i);
  await analyst.leave();
});

/** Other names for what is PENDING, of which RETRYING and HELD are kinds. */
const OTHER_NAMES = /held back|waiting for a retry|waits for a retry|paused (for|after)|not tried yet, or/i;

test("what is not sent yet is called by the names of the API, everywhere", () => {
  const within = (folder, ends) => readdirSync(join(ROOT, folder), { recursive: true }).filter((name) => ends.test(name)).map((name) => join(folder, name));
  const files = [...within("web/dashboard/src", /\.tsx?$/), ...within("docs", /\.md$/), ...within("crates/server/src/cli", /\.rs$/), "README.md", "openapi.json"];
  const lines = files.flatMap((name) => readFileSync(join(ROOT, name), "utf8").split("\n").map((line, at) => [`${name}:${at + 1}`, line]));
  assert.deepEqual(lines.filter(([, line]) => OTHER_NAMES.test(line)).map(([at, line]) => `${at} ${line.trim()}`), []);
});

/** Which tables are wider than their boxes. */
function wideTables() {
  const wide = [...document.querySelectorAll(".table-box")].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);
  return wide.map((box) => `${box.getAttribute("aria-label")} by ${box.scrollWidth - box.clientWidth} px`);
}

test("on a phone no table scrolls sideways, and lists are sorted by one choice", async () => {
  const { content } = await dregs.call("GET", "/escalation-rules");
  for (const { id } of content) await dregs.call("PUT", `/escalation-rules/${id}`, { name: "Somebody looks untrustworthy", severity: "WARNING", conditions: [{ type: "SCORE_LT", category: "ANY", threshold: 60 }] });
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 390, height: 844 } });
  const { page } = analyst;
  for (const [path, label] of [["/", "What changed"], ["/rules", "Badge rules"], ["/identities/first?tab=links", undefined], ["/identities", "Identities"]]) {
    await analyst.open(path);
    if (label) await page.getByRole("group", { name: label, exact: true }).waitFor();
    assert.deepEqual(await page.evaluate(wideTables), [], path);
  }
  assert.equal(await page.getByRole("group", { name: "Identities", exact: true }).locator("th:visible").count(), 0);
  await page.getByLabel("Sort by").selectOption("Humanity, ascending");
  await page.waitForURL(/sort=humanityScore&order=ASC/);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});

test("every badge is offered at once, also those that need no rule", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/identities");
  await page.getByRole("combobox", { name: "Badge" }).click();
  const list = page.getByRole("listbox", { name: "Badge" });
  const box = await list.boundingBox();
  for (const name of ["Registration bombing", "Card testing", "Account takeover suspected", "Confirmed bad"]) {
    const option = await list.getByRole("option", { name }).boundingBox();
    assert.ok(option && option.y + option.height <= box.y + box.height + 1, `${name} is in sight`);
  }
  await list.getByRole("option", { name: "Registration bombing" }).click();
  await page.waitForURL(/badge=registration-bombing/);
  await analyst.leave();
});

test("a filter by what is gone can be taken away where it is refused", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await dregs.call("POST", "/views", { name: "Of old", page: "identities", query: "badge=long-gone&humanityMax=90" });
  await analyst.open("/identities");
  await page.getByRole("button", { name: "Of old", exact: true }).click();
  for (const [path, kept] of [[undefined, /identities\?humanityMax=90$/], ["/escalations?rule=999&status=ALL", /escalations\?status=ALL$/]]) {
    if (path) await analyst.open(path);
    const alert = page.getByRole("alert");
    await alert.getByText("Nothing can be listed by this filter").waitFor();
    await alert.getByRole("button", { name: "Remove this filter" }).click();
    await page.waitForURL(kept);
    await alert.waitFor({ state: "detached" });
  }
  assert.deepEqual(analyst.complaints.splice(0).filter((text) => !text.includes("400 (Bad Request)")), []);
  await analyst.leave();
});

test("an id stands below the e-mail address, whole or with an ellipsis and a tooltip", async () => {
  const id = "usr_0192f1a2-7c3d-4e5f-8a9b-c0d1e2f3a4b5";
  await dregs.call("POST", "/events", { type: "user.login", identity: { id, data: { name: "Ada Lovelace", email: "ada.lovelace@analytical-engines.example.com" } } });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open(`/identities?term=${id}`);
  const shown = page.getByRole("group", { name: "Identities", exact: true }).getByText(id, { exact: true });
  assert.equal(await shown.evaluate((element) => getComputedStyle(element).textOverflow), "ellipsis");
  await shown.hover();
  await page.getByRole("tooltip").getByText(id, { exact: true }).waitFor();
  await analyst.leave();
});

/** How far below the top of its chart the topmost bar begins, in pixels. */
function headRoom(plot) {
  const canvas = plot.querySelector("canvas");
  const over = plot.querySelector(".u-over");
  const [top, left] = [over.offsetTop, over.offsetLeft].map((length) => Math.round(length * devicePixelRatio));
  const { data, width, height } = canvas.getContext("2d").getImageData(left, top, canvas.width - left, canvas.height - top);
  // Lines of the grid are grey.
  const coloured = (at) => data[at + 3] > 200 && Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 60;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (coloured(4 * (y * width + x))) return y / devicePixelRatio;
  }
  return undefined;
}

test("the highest bar does not touch the top of its chart", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  await analyst.open("/settings/usage");
  const plot = analyst.page.locator(".plot:has(canvas)");
  await plot.waitFor();
  const room = await eventually("bars to be drawn", () => plot.evaluate(headRoom).then((room) => room !== undefined && { room }));
  assert.ok(room.room >= 5, `${room.room} px`);
  await analyst.leave();
});

test("beside each score stands what it would be by weights in shadow", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await page.route("**/api/identities/first/analysis", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), shadow: { weightsId: 3, scores: [{ category: "HUMANITY", value: 63 }] } } });
  });
  await analyst.open("/identities/first");
  const scores = page.getByLabel("Scores", { exact: true });
  await scores.getByText("in shadow 63").hover();
  await page.getByRole("tooltip").getByText("With version 3 of the weights, which is in shadow").waitFor();
  assert.equal(await scores.getByText("in shadow").count(), 1);
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});
