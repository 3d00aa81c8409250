// dregs.js in a real browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, Dregs, eventually, Shop } from "./support.js";

let shop, dregs, chrome;

before(async () => {
  shop = await Shop.open();
  dregs = await Dregs.start(() => [shop.url]);
  shop.dregs = dregs;
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  shop?.close();
});

/** A page that complains of nothing. */
async function open(context, complaints = []) {
  const page = await context.newPage();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(shop.url);
  return page;
}

test("commands from before the script was loaded are told, with device, session and page", async () => {
  const complaints = [];
  shop.says("dregs('track', 'sign-up', { plan: 'pro' }); dregs('identify', 'ada', { email: 'ada@fastmail.com' })");
  const context = await chrome.newContext();
  const page = await open(context, complaints);
  const types = ["dregs_init", "sign-up", "dregs_identify"];
  await eventually("three events", async () => (await dregs.events()).length === 3);
  const events = await dregs.events();
  assert.deepEqual(events.map((event) => event.eventName), types);
  assert.equal(new Set(events.map((event) => event.fingerprint)).size, 1);
  assert.match(events[0].fingerprint, /^[0-9a-f]{32}$/);
  assert.equal(new Set(events.map((event) => event.session)).size, 1);
  assert.deepEqual(events[1].eventData, { plan: "pro" });
  assert.equal(events[2].url, `${shop.url}/`);
  assert.equal((await dregs.call("GET", "/identities/ada")).displayEmail, "ada@fastmail.com");
  // The functions are there too, and the identity is remembered over pages of the tab.
  await page.goto(`${shop.url}/next?token=hunter2#secret`);
  await page.waitForFunction(() => typeof window.dregs.track === "function");
  await page.evaluate(() => window.dregs.track("purchase", { total: 12 }));
  const later = await dregs.saw("ada", "dregs_identify", "dregs_init", "sign-up", "dregs_identify", "purchase");
  assert.equal(later.at(-1).url, `${shop.url}/next`);
  assert.equal(later.at(-1).session, events[0].session);
  assert.deepEqual(complaints, []);
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  await context.close();
});

test("a device is the same without its storage and in a private window, and another one is another", async () => {
  const print = async (launched, options, user) => {
    shop.says(`dregs('identify', '${user}')`);
    const context = await launched.newContext(options);
    await open(context);
    const events = await dregs.saw(user, "dregs_identify");
    await context.close();
    return events[0].fingerprint;
  };
  const first = await print(chrome, {}, "first");
  assert.equal(await print(chrome, {}, "again"), first);
  const restarted = await browser();
  assert.equal(await print(restarted, {}, "private"), first);
  // An update, another language, another window: the device is the same.
  const updated = { userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/200.0.0.0 Safari/537.36", locale: "de-DE" };
  assert.equal(await print(restarted, updated, "updated"), first);
  await restarted.close();
  const other = await browser({ args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=display-p3-d65"] });
  assert.notEqual(await print(other, { screen: { width: 1280, height: 800 } }, "other"), first);
  await other.close();
});

test("what the server does not take now it is given later, once", async () => {
  shop.says("dregs('identify', 'patient')");
  const context = await chrome.newContext();
  const page = await open(context);
  await dregs.saw("patient", "dregs_identify");
  await dregs.kill();
  await page.evaluate(() => window.dregs.track("while-it-is-down"));
  await new Promise((resolve) => setTimeout(resolve, 500));
  // The page changes meanwhile: what was not taken goes with the tab.
  await page.goto(`${shop.url}/other`, { waitUntil: "commit" }).catch(() => {});
  dregs.launch();
  await dregs.ready();
  await page.goto(`${shop.url}/back`);
  const seen = await eventually("the event", async () => {
    const events = await dregs.events("patient");
    return events.some((event) => event.eventName === "while-it-is-down") && events;
  });
  assert.equal(seen.filter((event) => event.eventName === "while-it-is-down").length, 1);
  await context.close();
});

test("events that come together are one request, and a bad one takes none with it", async () => {
  shop.says("dregs('identify', 'gatherer')");
  const context = await chrome.newContext();
  const page = await open(context);
  await dregs.saw("gatherer", "dregs_identify");
  const batches = [];
  page.on("request", (request) => request.method() === "POST" && batches.push(request.postDataJSON()));
  await page.evaluate(() => {
    const circle = {};
    circle.self = circle;
    window.dregs.track("first");
    window.dregs.track("refused", { long: "x".repeat(300_000) });
    window.dregs.track("not JSON", circle);
    for (let number = 1; number <= 24; number++) window.dregs.track("step", { number });
    window.dregs.track("last");
  });
  const seen = await eventually("the last", async () => {
    const events = await dregs.events("gatherer");
    return events.at(-1)?.eventName === "last" && events;
  });
  assert.deepEqual(seen.slice(1).map((event) => event.eventName), ["first", ...Array(24).fill("step"), "last"]);
  assert.deepEqual(seen.slice(2, -1).map((event) => event.eventData.number), Array.from({ length: 24 }, (_, at) => at + 1));
  assert.deepEqual(batches.map((batch) => batch.map((event) => event.type).join(" ")), [
    "first",
    "refused",
    Array(20).fill("step").join(" "),
    "step step step step last",
  ]);
  await context.close();
});

test("what one of a batch is refused for in passing is asked for again, alone", async () => {
  shop.says("dregs('identify', 'waiter')");
  const context = await chrome.newContext();
  const page = await open(context);
  await dregs.saw("waiter", "dregs_identify");
  const batches = [];
  await page.route("**/api/events/batch", async (route) => {
    const events = route.request().postDataJSON();
    batches.push(events.map((event) => event.type));
    if (batches.length > 1) return route.continue();
    const answers = events.map((event) => (event.type === "busy" ? { status: "error", code: "rate_limited" } : { status: "success" }));
    await route.fulfill({ json: answers, headers: { "Access-Control-Allow-Origin": "*" } });
  });
  await page.evaluate(() => ["good", "busy"].forEach((type) => window.dregs.track(type)));
  await dregs.saw("waiter", "dregs_identify", "busy");
  assert.deepEqual(batches, [["good", "busy"], ["busy"]]);
  await context.close();
});

test("what waits when the page ends is sent as it goes", async () => {
  shop.says("dregs('identify', 'leaver')");
  const context = await chrome.newContext();
  const page = await open(context);
  await dregs.saw("leaver", "dregs_identify");
  const types = Array.from({ length: 12 }, (_, at) => `step-${at}`);
  const leave = (types) => {
    types.forEach((type) => window.dregs.track(type));
    // Sooner than they would be sent. The next page has no script that could send what was kept.
    setTimeout(() => (location.href = "about:blank"));
  };
  // Its answer may be lost with the page.
  page.evaluate(leave, types).catch(() => {});
  await dregs.saw("leaver", "dregs_identify", ...types);
  // The browser closes it in the end: some Chromiums wait for ever where a page was left while it sent something.
});

test("pages that the page itself opens are told, and the page does not wait for anything", async () => {
  shop.says("dregs('identify', 'walker')");
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((task) => task.duration))).observe({
      type: "longtask",
      buffered: true,
    });
  });
  const longest = [];
  for (let load = 1; load <= 5; load++) {
    await page.goto(`${shop.url}/load-${load}`);
    await dregs.saw("walker", ...["dregs_identify", "dregs_init", "dregs_identify", "dregs_init", "dregs_identify", "dregs_init", "dregs_identify", "dregs_init", "dregs_identify"].slice(0, 2 * load - 1));
    longest.push(Math.max(0, ...(await page.evaluate(() => window.longTasks))));
  }
  await page.evaluate(() => history.pushState({}, "", "/second"));
  const seen = await eventually("the page", async () => (await dregs.events("walker")).find((event) => event.eventName === "page_view"));
  assert.equal(seen.url, `${shop.url}/second`);
  // Single loads take longer where the machine is busy: the processor draws here.
  longest.sort((a, b) => a - b);
  console.log(`longest task of five loads: ${longest} ms`);
  assert.ok(longest[2] < 50, `long tasks: ${longest} ms`);
  await context.close();
});

test("how a page is operated is told by strokes and rhythms; what its own code dispatches is not", async () => {
  shop.says("dregs('identify', 'operator')");
  const context = await chrome.newContext();
  const page = await open(context);
  await dregs.saw("operator", "dregs_identify");
  let told;
  page.on("request", (request) => (told = request.postDataJSON()?.[0].device?.interaction ?? told));
  await page.evaluate(() => {
    for (let at = 0; at < 50; at++) {
      dispatchEvent(new PointerEvent("pointermove", { clientX: at * 9, clientY: at * 5 }));
      dispatchEvent(new KeyboardEvent("keydown", { code: `Key${at}` }));
    }
  });
  await page.mouse.move(100, 100);
  await page.mouse.move(400, 220, { steps: 20 });
  await page.waitForTimeout(300);
  await page.mouse.move(700, 400, { steps: 20 });
  await page.mouse.move(400, 520, { steps: 20 });
  // A key that is held, as a remote desktop passes it on.
  for (let time = 0; time < 12; time++) await page.keyboard.press("ArrowDown", { delay: 5 });
  await page.evaluate(() => window.dregs.track("operated"));
  await dregs.saw("operator", "dregs_identify", "operated");
  const { strokes, ...counts } = told;
  assert.deepEqual(counts, { clicks: 0, scriptedClicks: 0, moves: 61, touches: 0, keys: 12, scrolls: 0 });
  // Where the machine is busy, the pointer seems to rest on its way.
  for (const { x, y, bend, variation } of strokes) {
    const isOfOneLeg = [0.4, 0.6, -0.4].some((slope) => Math.abs(y - x * slope) <= 1);
    assert.ok(bend === 0 && variation === 0 && isOfOneLeg, JSON.stringify(strokes));
  }
  assert.ok(strokes.length >= 3, JSON.stringify(strokes));
  await context.close();
});

test("Global Privacy Control is respected where the page asks for that", async () => {
  shop.says("dregs('identify', 'private-person')", ", respectPrivacyControl: true");
  const context = await chrome.newContext();
  await context.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  const requests = [];
  const page = await context.newPage();
  page.on("request", (request) => requests.push(request.method()));
  await page.goto(shop.url);
  await page.waitForTimeout(1_500);
  assert.deepEqual(requests, ["GET", "GET", "GET"]);
  await context.close();
});
