// What somebody frowns at who looks closely: filters out of sight, errors in the console, an order that helps nobody.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually, PATIENCE_MS } from "./support.js";

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
      // On a phone those of the queue are folded.
      const fold = analyst.page.getByRole("button", { name: /^Filters/ });
      if (await fold.isVisible()) await fold.click();
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

test("what is not there is told of in one way, beside the places there are", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  for (const [path, title] of [
    ["/nowhere", "Page not found"], ["/settings/nope", "Page not found"], ["/identities/nobody", "Identity not found"], ["/events/nothing", "Event not found"],
    ["/devices/none", "Device not found"], ["/groups/organization/none", "Group not found"], ["/badge-rules/999", "Rule not found"], ["/escalation-rules/999", "Rule not found"],
    ["/settings/channels/999", "Channel not found"], ["/deliveries/999", "Delivery not found"], ["/settings/datasets?dataset=none", "Dataset not found"],
  ]) {
    await analyst.open(path);
    const missing = page.locator("[data-missing]");
    await missing.getByRole("heading", { name: title, exact: true }).waitFor();
    await missing.getByRole("link").waitFor();
    assert.equal(await page.getByRole("alert").count(), 0, path);
    if (path.startsWith("/settings/")) await page.getByRole("navigation", { name: "Settings" }).waitFor();
  }
  assert.deepEqual(analyst.complaints.splice(0).filter((text) => !text.includes("404 (Not Found)")), []);
  await analyst.leave();
});

test("what somebody may not change is said in one way on every page", async () => {
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  const { token: invitation } = await dregs.call("POST", "/team/invitations", { email: "user@example.com", role: "USER" }, token);
  await dregs.call("POST", "/auth/accept-invitation", { token: invitation, name: "Uma", password: "correct horse battery" });
  const context = await chrome.newContext({ viewport: { width: 1280, height: 800 } });
  await context.request.post(`${dregs.url}/api/auth/login`, { data: { email: "user@example.com", password: "correct horse battery" } });
  const page = await context.newPage();
  const { content: [rule] } = await dregs.call("GET", "/escalation-rules");
  for (const path of [
    "/rules", `/escalation-rules/${rule.id}`, "/badge-rules/new", "/groups", "/settings/channels", `/settings/channels/${channel.id}`, "/settings/credentials", "/settings/team",
    "/settings/mappings", "/settings/datasets", "/settings/weights", "/settings/retention", "/settings/audit-log",
  ]) {
    await page.goto(dregs.url + path);
    const said = page.locator("[data-may-not]");
    await said.waitFor();
    assert.match(await said.innerText(), /^Only an admin can [^.]+\.$/, path);
  }
  await page.goto(`${dregs.url}/settings/mcp-tokens`);
  await page.getByText("which an admin creates").waitFor();
  assert.equal(await page.locator("main").getByRole("link", { name: "credential" }).count(), 0);
  await page.goto(`${dregs.url}/escalations`);
  await page.locator("h1").waitFor();
  assert.equal(await page.locator("[data-may-not]").count(), 0, "a user works on escalations");
  await context.close();
});

/** Cells of a row whose only line of text stands higher or lower than that of the first, and by how much. */
function crooked() {
  const middle = (cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = [...range.getClientRects()].filter(({ width, height }) => width > 2 && height > 2);
    const [top, bottom] = [Math.min(...lines.map(({ top }) => top)), Math.max(...lines.map(({ bottom }) => bottom))];
    return lines.length > 0 && bottom - top < 30 ? (top + bottom) / 2 : undefined;
  };
  const rows = [...document.querySelectorAll(".table-box tbody tr")].filter((row) => !row.closest("td"));
  return rows.flatMap((row) => {
    const cells = [...row.cells].flatMap((cell) => middle(cell) ?? []);
    const titles = [...row.cells].filter((cell) => middle(cell) !== undefined).map((cell) => cell.dataset.title);
    const usual = cells.toSorted((one, other) => one - other)[Math.floor(cells.length / 2)];
    return cells.flatMap((at, n) => (Math.abs(at - usual) > 2 ? [`${titles[n]} by ${(at - usual).toFixed(1)}`] : []));
  });
}

/** What is cut off in a cell that has room for more. */
function cutForNothing() {
  return [...document.querySelectorAll(".table-box td .clip")].filter((text) => {
    const cell = text.closest("td");
    const free = cell.getBoundingClientRect().right - parseFloat(getComputedStyle(cell).paddingRight) - text.getBoundingClientRect().right;
    return text.scrollWidth > text.clientWidth && free > 16;
  }).map((text) => text.textContent);
}

/** Headings of stacked rows that have no room before their value. */
function crampedHeadings() {
  const canvas = document.createElement("canvas").getContext("2d");
  return [...new Set([...document.querySelectorAll("[data-stacks] td[data-title]")].flatMap((cell) => {
    const style = getComputedStyle(cell, "::before");
    canvas.font = `${style.fontSize} ${style.fontFamily}`;
    const room = parseFloat(getComputedStyle(cell).paddingLeft) - parseFloat(getComputedStyle(cell).paddingRight);
    const widest = Math.max(...cell.dataset.title.split(" ").map((word) => canvas.measureText(word).width));
    const whole = canvas.measureText(cell.dataset.title).width;
    // In a short row it stands before its value in the same line, or above it.
    if (cell.closest("[data-short]")) {
      const spare = cell.dataset.place === "part" ? cell.clientWidth - whole : parseFloat(style.marginRight) - 5;
      return style.content !== "none" && style.display !== "none" && spare < 0 ? [`${cell.dataset.title} by ${(-spare).toFixed(1)} px`] : [];
    }
    const width = whole <= parseFloat(style.width) ? whole : widest;
    return room - width < 6 ? [`${cell.dataset.title}: ${(room - width).toFixed(1)} px`] : [];
  }))];
}

test("words of a row stand in line, none is cut for nothing, and none touches its heading", async () => {
  const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
  for (const n of [1, 2]) {
    await dregs.call("POST", "/events", {
      type: "user.login", identity: { id: `windows-${n}`, data: { name: "Ada", email: "ada.lovelace.of.the.engines@example.com" } }, ip: "198.51.100.9", url: "https://shop.example.com/a/long/path/to/somewhere?with=a&long=query",
      userAgent, device: { fingerprint: `0123456789abcdef0123456789abcde${n}` },
    });
  }
  await eventually("the device", async () => (await dregs.call("GET", "/devices")).content.length >= 2);
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    const analyst = await Analyst.arrive(chrome, dregs, { viewport });
    const { page } = analyst;
    for (const path of ["/devices", "/events", "/identities", "/groups", "/rules", "/settings/audit-log", "/settings/channels", "/identities/windows-1?tab=devices", "/identities/first?tab=escalations"]) {
      await analyst.open(path);
      await page.locator(".table-box, .panel").first().waitFor();
      const isDesk = viewport.width > 1_000;
      assert.deepEqual(isDesk ? await page.evaluate(crooked) : [], [], `${path} in line`);
      assert.deepEqual(await page.evaluate(wideTables), [], `${path} scrolls sideways`);
      assert.deepEqual(isDesk ? [] : await page.evaluate(cutForNothing), [], `${path} cut`);
      assert.deepEqual(isDesk ? [] : await page.evaluate(crampedHeadings), [], `${path} headings`);
    }
    await analyst.leave();
  }
});

test("times are filtered by in one way, and on a phone the fields are one below the other", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 390, height: 844 } });
  const { page } = analyst;
  for (const path of ["/events", "/settings/audit-log", `/settings/channels/${channel.id}`]) {
    await analyst.open(path);
    const fields = page.locator(".filters input[type=datetime-local]");
    assert.deepEqual(await fields.evaluateAll((all) => all.map((one) => one.getAttribute("aria-label"))), ["From", "To"], path);
    const [from, to] = await fields.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().left));
    assert.equal(from, to, path);
  }
  await analyst.open("/settings/audit-log");
  await page.getByLabel("From", { exact: true }).fill("2020-01-02T03:04:05");
  await page.waitForURL(/from=2020-01-0\dT/);
  await page.getByLabel("From", { exact: true }).fill("2999-01-02T03:04:05");
  await page.getByText("No matching entries").waitFor();
  await analyst.leave();
});

test("on a phone the tab that is open is in sight", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 390, height: 844 } });
  const { page } = analyst;
  for (const tab of ["deliveries", "labels", "escalations", "reviews", "why"]) {
    await analyst.open(`/identities/first?tab=${tab}`);
    const open = page.getByRole("tab", { selected: true });
    const { x, width } = await open.boundingBox();
    assert.ok(x >= 0 && x + width <= 390, `${tab} begins at ${x}`);
    assert.equal(await page.evaluate(() => scrollY), 0, "and the page has not moved");
  }
  await analyst.leave();
});

test("on paper a page has all columns, and no navigation", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 720, height: 1000 }, colorScheme: "dark" });
  const { page } = analyst;
  for (const path of ["/identities", "/events", "/rules", "/devices", "/settings/audit-log", "/settings/weights", "/identities/first", "/escalations?status=CLOSED"]) {
    await analyst.open(path);
    // The longest word that an observation's strength can have.
    await page.evaluate(() => document.querySelectorAll("[class*=pushNumber]").forEach((word) => { word.textContent = "moderate"; }));
    await page.emulateMedia({ media: "print" });
    assert.deepEqual(await page.evaluate(wideTables), [], path);
    assert.equal(await analyst.overflow(), 0, path);
    assert.deepEqual(await page.locator("nav:visible, header:visible, main .mantine-Button-root:visible, main .mantine-ActionIcon-root:visible").allInnerTexts(), [], path);
    const { red } = await page.evaluate(() => ({ red: Number(/\d+/.exec(getComputedStyle(document.body).color)[0]) }));
    assert.ok(red < 80, `${path} prints dark on white`);
    await page.emulateMedia({ media: "screen" });
  }
  // The manual as a whole.
  await page.goto(`${dregs.url}/manual/print`, { waitUntil: "load" });
  await page.emulateMedia({ media: "print" });
  assert.deepEqual(await page.evaluate(wideTables), [], "/manual/print");
  assert.equal(await analyst.overflow(), 0, "/manual/print");
  assert.equal(await page.locator("nav:visible").count(), 0);
  assert.ok(await page.locator("main h1").count() > 10, "every chapter is there");
  await analyst.leave();
});

test("forms say in one voice what is missing, each thing once, and placeholders do not look typed", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/settings/channels");
  await page.getByRole("button", { name: "New channel" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Identity labeled").waitFor();
  assert.equal(await dialog.getByLabel("Channel test").count(), 0, "tests are sent anyway");
  await dialog.getByText("Tests always are.").waitFor();
  const colour = () => dialog.getByLabel("URL").evaluate((input) => getComputedStyle(input, "::placeholder").color);
  const before = await colour();
  await dialog.getByRole("button", { name: "Create" }).click();
  for (const missing of ["Enter a name.", "Enter a URL."]) await dialog.getByText(missing).waitFor();
  assert.equal(await colour(), before);
  await dialog.getByLabel("Name", { exact: false }).fill("Inner");
  await dialog.getByLabel("URL").fill("http://10.0.0.1/x");
  await dialog.getByLabel("Identity scored").check();
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText(/^10\.0\.0\.1 is a private address/).waitFor();
  assert.equal((await dialog.innerText()).match(/private address/g).length, 1);
  await page.keyboard.press("Escape");

  await analyst.open("/groups");
  await page.getByRole("button", { name: "New group" }).click();
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("Enter an id.").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });

  await analyst.open("/badge-rules/new");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("Enter a name.").waitFor();

  await analyst.open("/settings/account");
  await page.getByLabel("Current password").fill("x");
  for (const field of await page.locator("input[autocomplete=new-password]").all()) await field.fill("short");
  await page.getByRole("button", { name: "Change password" }).click();
  await eventually("the error", async () => (await page.getByText("At least 10 characters.", { exact: true }).count()) === 2);
  assert.equal(await page.getByText(/bytes/).count(), 0);
  // Chromium tells of each refusal in the console.
  assert.deepEqual(analyst.complaints.splice(0).filter((text) => !text.includes("400 (Bad Request)")), []);
  await page.goto("about:blank");
  await analyst.leave();
});

/** How far the tops of the first lines of a row of the queue are apart. */
function unevenRows() {
  const first = (element) => {
    const range = document.createRange();
    range.selectNodeContents(document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode());
    return range.getClientRects()[0].bottom;
  };
  return [...document.querySelectorAll("[role=option]")].map((row) => {
    const [chip, name, opened] = row.children;
    const bottoms = [first(chip), first(name), first(opened)];
    return Math.max(...bottoms) - Math.min(...bottoms);
  });
}

test("the queue has its keys in sight, rows that are aligned alike, and a focus that goes along", async () => {
  const { content } = await dregs.call("GET", "/escalation-rules");
  for (const { id } of content) await dregs.call("DELETE", `/escalation-rules/${id}`);
  const event = (n) => ({ type: "user.login", identity: { id: n % 2 ? `queue-${n}` : `queue-${n}-with-a-long-id-that-takes-a-line`, data: { name: "Somebody of the queue" } } });
  await dregs.call("POST", "/events/batch", Array.from({ length: 56 }, (_, n) => event(n)));
  await dregs.call("POST", "/escalation-rules", { name: "Everybody", severity: "WARNING", conditions: [{ type: "SCORE_GTE", category: "ANY", threshold: 0 }] });
  await eventually("more than a page", async () => (await dregs.call("GET", "/escalations/summary")).open > 50);
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 1280, height: 800 } });
  const { page } = analyst;
  for (const width of [1280, 1000]) {
    await page.setViewportSize({ width, height: 800 });
    await analyst.open("/escalations");
    const hint = page.getByText("open identity").locator("..");
    await eventually(`the hint at ${width} to be in sight`, async () => {
      const box = await hint.boundingBox();
      return box && box.y + box.height <= 800;
    });
    const uneven = await page.evaluate(unevenRows);
    assert.ok(uneven.length > 20 && Math.max(...uneven) <= 4, `${Math.max(...uneven)} px`);
  }
  await page.keyboard.press("c");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  for (const [key, label] of [["b", "Bad"], ["g", "Good"], ["n", "No label"], ["b", "Bad"], ["2", "Fake"]]) {
    await page.keyboard.press(key);
    const focused = () => page.evaluate(() => document.activeElement.checked && document.activeElement.closest("[class*=Radio-root]")?.textContent);
    await eventually(`the focus to be on ${label}`, async () => (await focused())?.startsWith?.(label));
  }
  await analyst.leave();
});

test("the buttons of a long dialog are in sight", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 1280, height: 480 } });
  const { page } = analyst;
  await analyst.open("/identities/windows-1");
  await page.getByRole("button", { name: "Label", exact: true }).click();
  await page.getByRole("menuitem", { name: "Label as bad…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("status").waitFor();
  const button = dialog.getByRole("button", { name: "Label as bad" });
  const reaches = () => button.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return [top + 2, top + height - 2].every((y) => element.contains(document.elementFromPoint(left + width / 2, y)));
  });
  await eventually("the button to be in sight", reaches);
  // Once the dialog has come in.
  const distances = () => page.evaluate(() => {
    const bottom = (selector) => document.querySelector(selector).getBoundingClientRect().bottom;
    return [bottom(".mantine-Modal-content") - bottom(".mantine-Modal-body .buttons"), bottom(".mantine-Modal-content") - bottom(".mantine-Modal-body .buttons button")];
  });
  await eventually("the buttons to stand at its end, with room below them", async () => {
    const [ofThem, ofOne] = await distances();
    return Math.abs(ofThem) <= 1 && ofOne >= 8;
  });
  assert.ok(await dialog.evaluate((element) => [element, ...element.querySelectorAll("*")].some(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 100)), "it is long");
  await analyst.leave();
});

test("the manual shows its pictures, fits a window, and says which dashboard is which", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 1280, height: 800 } });
  const { page } = analyst;
  const tooWide = () => [...document.querySelectorAll("main table")].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length;
  for (const [path, least] of [["dashboard", 10], ["detection", 5], ["readme", 1], ["speed", 0], ["detection-figures", 0]]) {
    await page.goto(`${dregs.url}/manual/${path}`, { waitUntil: "load" });
    const pictures = await page.locator("main img").evaluateAll((all) => all.map(({ naturalWidth, alt }) => naturalWidth > 0 && alt !== ""));
    assert.ok(pictures.length >= least && pictures.every(Boolean), `${path}: ${pictures}`);
    assert.equal(await page.evaluate(tooWide), 0, `${path} has a table that is cut`);
    assert.equal(await analyst.overflow(), 0, path);
    const links = (await page.locator("nav a").allInnerTexts()).filter((name) => name !== "");
    assert.equal(new Set(links).size, links.length, `${links}`);
  }
  await page.goto(`${dregs.url}/manual/getting-started`);
  await page.getByRole("link", { name: "README" }).click();
  await page.waitForURL(`${dregs.url}/manual/readme`);
  await page.goto(`${dregs.url}/manual/detection`);
  await page.getByRole("link", { name: "all figures" }).click();
  await page.waitForURL(`${dregs.url}/manual/detection-figures`);
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ["/api/docs", "/manual/speed", "/manual/detection", "/manual/detection-figures"]) {
    await page.goto(dregs.url + path);
    assert.equal(await analyst.overflow(), 0, path);
  }
  await analyst.leave();
});
