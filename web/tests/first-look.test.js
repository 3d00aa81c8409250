// What somebody sees who looks for the first time: one form for one thing, and nothing cut off.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

const SHORT = { id: "u1", name: "Bo" };
const LONG = { id: "a-customer-with-a-rather-long-id-0123456789", name: "Maximiliane Alexandra Theodora von Hohenfels" };
/** As long as addresses of people at work are. */
const EMAIL = "kate.murphy-o-brien@lindstrom-partner.se";

let dregs, chrome, channel, endpoint, delivery;

before(async () => {
  dregs = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8" });
  chrome = await browser();
  // It answers with nothing but a status.
  endpoint = createServer((_, answer) => answer.writeHead(200).end()).listen(0, "127.0.0.1");
  await new Promise((resolve) => endpoint.once("listening", resolve));
  channel = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "App", events: ["identity.scored"], config: { url: `http://127.0.0.1:${endpoint.address().port}/hook` } });
  for (const severity of ["CRITICAL", "INFO"]) {
    await dregs.call("POST", "/escalation-rules", { name: `Low ${severity}`, severity, conditions: [{ type: "SCORE_LT", category: "ANY", threshold: 99 }] });
  }
  for (const { id, name } of [SHORT, LONG]) {
    await dregs.call("POST", "/events", { type: "user.signup", identity: { id, data: { name, email: EMAIL } }, ip: "203.0.113.7", userAgent: "python-requests/2.32" });
    await eventually(`the escalation of ${id}`, async () => (await dregs.call("GET", `/escalations?identity=${id}`)).content.length > 0);
  }
  delivery = await eventually("a delivery", async () => (await dregs.call("GET", `/channels/${channel.id}/deliveries?status=DELIVERED`)).content[0]);
});

after(async () => {
  await chrome?.close();
  endpoint?.closeAllConnections();
  endpoint?.close();
  await dregs?.stop();
});

/** What the ring around the element with the focus is cut off by; undefined where it is whole, or there is none. */
function ringCut() {
  const element = document.activeElement;
  if (!element || element === document.body) return undefined;
  const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(element);
  if (outlineStyle === "none") return undefined;
  const room = parseFloat(outlineWidth) + parseFloat(outlineOffset) - 0.5;
  const box = element.getBoundingClientRect();
  const ring = { left: box.left - room, right: box.right + room, top: box.top - room, bottom: box.bottom + room };
  const name = (one) => `${one.tagName.toLowerCase()}.${one.className} “${(one.getAttribute("aria-label") ?? one.textContent ?? "").slice(0, 30)}”`;
  if (ring.left < 0 || ring.right > innerWidth) return `${name(element)} at the edge of the window`;
  for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
    const { overflowX, overflowY, position } = getComputedStyle(around);
    const edge = around.getBoundingClientRect();
    const [left, top] = [edge.left + around.clientLeft, edge.top + around.clientTop];
    const isCutAside = overflowX !== "visible" && (ring.left < left || ring.right > left + around.clientWidth);
    // What scrolls up and down may have any part in view.
    const isCutAbove = overflowY === "hidden" && (ring.top < top || ring.bottom > top + around.clientHeight);
    if (isCutAside || isCutAbove) return `${name(element)} by ${name(around)}`;
    if (position === "fixed") break;
  }
  const above = document.elementFromPoint((box.left + box.right) / 2, ring.top);
  const covers = above && !above.contains(element) && getComputedStyle(above.closest("header") ?? above).position === "sticky";
  return covers ? `${name(element)} under ${name(above)}` : undefined;
}

/** Goes through a page by Tab, so many steps. */
async function cutRings(page, steps) {
  const found = new Set();
  for (let step = 0; step < steps; step++) {
    await page.keyboard.press("Tab");
    const cut = await page.evaluate(ringCut);
    if (cut) found.add(cut);
  }
  return [...found];
}

test("the ring around what has the focus is never cut off", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  for (const path of ["/", "/identities", `/identities/${SHORT.id}`, "/escalations", "/rules", `/settings/channels/${channel.id}`]) {
    await analyst.open(path);
    assert.deepEqual(await cutRings(page, 45), [], path);
  }
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Search" });
  await field.waitFor();
  await page.keyboard.type("bo");
  assert.equal(await page.evaluate(ringCut), undefined, "the field of the search");
  await analyst.leave();
});

test("the ends of the small charts have room on a phone, and times are written as elsewhere", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 360, height: 740 }, locale: "en-US" });
  for (const range of ["", "?range=7d", "?range=30d"]) {
    await analyst.open(`/${range}`);
    const ends = analyst.page.locator("[role=img] > [aria-hidden]:last-child");
    await ends.first().waitFor();
    const found = await ends.evaluateAll((all) => all.map((line) => {
      const [one, other] = [...line.children].map((end) => ({ text: end.textContent, box: end.getBoundingClientRect(), lines: end.getClientRects().length }));
      const frame = line.closest("section").getBoundingClientRect();
      return { texts: [one.text, other.text], isWhole: one.box.right + 4 < other.box.left && other.box.right < frame.right && one.lines + other.lines === 2 };
    }));
    assert.equal(found.length, 4);
    for (const { texts, isWhole } of found) {
      assert.ok(isWhole, `${range}: ${texts}`);
      assert.ok(texts.every((text) => (range ? /^[A-Z][a-z]{2} \d+$/ : /^\d{1,2}:00 [AP]M$/).test(text.replaceAll("\u00A0", " ").replaceAll("\u202F", " "))), `${texts}`);
    }
  }
  await analyst.leave();
});

test("badge rules stand in the order of their badges, and one that nobody has says so", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/rules");
  const rows = page.getByRole("group", { name: "Badge rules" }).locator("tbody tr");
  const priorities = await rows.locator("td:nth-child(5)").allInnerTexts();
  assert.deepEqual(priorities, ["4", "3", "2", "1", "0"]);
  await page.getByRole("link", { name: "Trusted" }).click();
  const accuracy = page.getByRole("region", { name: "Is it right?" });
  await accuracy.getByText("No identity has this badge yet").waitFor();
  assert.doesNotMatch(await accuracy.innerText(), /labeled|concerned has/);
  await analyst.leave();
});

test("a delivery is told apart by its id, which nobody takes for a count", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { locale: "en-US" });
  const { page } = analyst;
  await analyst.open(`/deliveries/${delivery.id}`);
  assert.equal(await page.locator("h1").innerText(), "Delivery: Identity scored");
  const fact = (name) => page.locator("dt", { hasText: new RegExp(`^${name}$`) }).first().locator("xpath=following-sibling::dd[1]");
  assert.equal(await fact("Delivery id").locator(".mono").innerText(), String(delivery.id));
  for (const name of ["Created", "Completed", "Started"]) assert.match((await fact(name).innerText()).replaceAll(/\s/g, " "), /^\w{3} \d+, \d{4}, \d+:\d\d:\d\d [AP]M \(.+\)$/, name);
  // The receiver has answered nothing, of which there is no first part.
  await page.getByText("No response body.").waitFor();
  assert.equal(await page.getByText("16 KiB").count(), 0);
  await analyst.leave();
});

test("an id stands below the name, or apart from it where rows are short", async () => {
  for (const width of [1280, 360]) {
    const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width, height: 900 } });
    const { page } = analyst;
    for (const [path, list] of [["/escalations", "[role=option]"], ["/", "[aria-label='Who was active last'] tbody tr"], ["/events", "tbody tr"]]) {
      await analyst.open(path);
      const below = page.locator(`${list} .below`);
      await eventually(`ids on ${path}`, async () => (await below.count()) >= 2);
      const places = await below.evaluateAll((all) => all.map((id) => {
        const name = [...id.parentElement.querySelectorAll("bdi")].find((one) => one !== id);
        const [its, other] = [id.getBoundingClientRect(), name.getBoundingClientRect()];
        return its.top >= other.bottom - 3 || (id.closest("[data-short]") !== null && innerWidth < 500 && its.left >= other.right + 3);
      }));
      assert.ok(places.every(Boolean), `${path} at ${width}: ${places}`);
    }
    await analyst.leave();
  }
});

test("what needs attention and how channels do begin at the same place in every row", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  await analyst.open("/");
  const rows = analyst.page.getByRole("list", { name: "Open escalations" }).locator("li");
  // Of one severity alone they would in any case.
  const severities = async () => new Set(await rows.locator("> :nth-child(1)").allInnerTexts()).size;
  await eventually("rows of two severities", async () => (await severities()) > 1);
  const left = await rows.locator("> :nth-child(2)").evaluateAll((all) => [...new Set(all.map((one) => Math.round(one.getBoundingClientRect().left)))]);
  assert.equal(left.length, 1, `${left}`);
  await analyst.leave();
});

test("an e-mail address of usual length is whole in the list, and so is the line of keys", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/identities");
  const address = page.getByText(EMAIL).first();
  await address.waitFor();
  assert.ok(await address.evaluate((text) => text.scrollWidth <= text.clientWidth), "it is cut");
  assert.equal(await page.locator(".table-box").evaluate((box) => box.scrollWidth - box.clientWidth), 0);
  await analyst.open("/escalations");
  const keys = await page.getByText("open identity").locator("..").innerText();
  assert.equal(keys.split("Enter").length, 2, keys);
  await analyst.leave();
});
