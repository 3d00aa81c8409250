// Devices in a real browser: which are the same, which are not, and which are forged.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { browser, Dregs, Screen, Shop } from "./support.js";

let shop, dregs, screen, chrome;

before(async () => {
  shop = await Shop.open();
  dregs = await Dregs.start(() => [shop.url]);
  shop.dregs = dregs;
  screen = await Screen.open();
  chrome = screen.browser;
});

after(async () => {
  await screen?.close();
  await dregs?.stop();
  shop?.close();
});

/** Somebody identifies on a page; before it loads, a script runs in it, and its DevTools are asked for something. */
async function visit(user, { script, ask } = {}) {
  shop.says(`dregs('identify', '${user}')`);
  const page = await chrome.contexts()[0].newPage();
  if (script) await page.addInitScript(script);
  if (ask) await ask(await page.context().newCDPSession(page));
  await page.goto(shop.url);
  await dregs.saw(user, "dregs_identify");
  return page;
}

/** Another number of processors. */
const processors = (count) => (devtools) =>
  devtools.send("Emulation.setHardwareConcurrencyOverride", { hardwareConcurrency: count });

/** Noise in whatever is drawn, the same each time. */
function noise() {
  const original = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    original.call(this, text, x + 0.3, y);
  };
}

/** What links two, if anything does. */
async function link(one, other) {
  const links = await dregs.call("GET", `/identities/${one}/links`);
  return links.find((link) => link.targetIdentityId === other);
}

/** Humanity, and what is said of the browser's own account, once so many of its events are scored. */
async function judged(user, eventCount) {
  const { scores } = await dregs.analysis(user, eventCount);
  const { value, observations } = scores.find((score) => score.category === "HUMANITY");
  return { value, said: observations.find((one) => one.label === "Browser's own account").explanation };
}

test("an account on a device that has changed in one part is linked, less surely than on the same", async () => {
  await visit("before");
  await visit("again");
  await visit("extended", { ask: processors(3) });
  await visit("updated", { script: noise });
  const same = await link("again", "before");
  assert.deepEqual([same.type, same.confidence, same.explanation], ["SAME_DEVICE", 0.9, "Both used the same device."]);
  const words = {
    extended: "screen, sound, fonts and what it draws are the same, graphics card, processor or memory differ.",
    updated: "graphics card, processor, memory, screen, sound and fonts are the same, what it draws differs.",
  };
  for (const [user, differs] of Object.entries(words)) {
    const near = await link(user, "before");
    const said = `Both used nearly the same device, and so did 1 other identity: ${differs}`;
    assert.deepEqual([near.type, near.value, near.confidence, near.explanation], ["SAME_DEVICE", 0.5, 0.5, said]);
  }
  assert.equal(await link("extended", "updated"), undefined);
});

test("an account on other hardware is not linked", async () => {
  const ask = async (devtools) => {
    await processors(5)(devtools);
    const screen = { width: 1280, height: 720, screenWidth: 1280, screenHeight: 720, deviceScaleFactor: 1, mobile: false };
    await devtools.send("Emulation.setDeviceMetricsOverride", screen);
  };
  await visit("stranger", { ask, script: noise });
  assert.deepEqual(await dregs.call("GET", "/identities/stranger/links"), []);
});

test("a forged device stands out, and the account says why", async () => {
  await visit("honest");
  const honest = await judged("honest", 1);
  // Nothing but what is true of the machine that runs this test.
  assert.match(honest.said, /^(?:Nothing|In \d of \d reports? its browser gave itself away: it draws without a graphics card)/);
  assert.doesNotMatch(honest.said, /,.*,/);
  const script = () => {
    const told = { vendor: "Apple Computer, Inc.", platform: "Win32" };
    for (const [name, value] of Object.entries(told)) Object.defineProperty(Navigator.prototype, name, { get: () => value });
    Object.defineProperty(navigator, "deviceMemory", { get: () => 6 });
  };
  await visit("forger", { script });
  const forged = await judged("forger", 1);
  assert.match(
    forged.said,
    /: its platform is not one of its user agent's system, its vendor is not that of its user agent's engine, it has memory or processors in a number that no browser tells, what tells which browser it is has been replaced, it falsifies what it draws or tells of its hardware\.$/,
  );
  console.log(`humanity: honest ${honest.value}, forged ${forged.value}`);
  assert.ok(honest.value >= 60 && forged.value < 30, `${honest.value} ${forged.value}`);
});

test("a tab that becomes another device stands out, and one whose device changes a little does not", async () => {
  const shift = async (user, change) => {
    const page = await visit(user);
    await change(page);
    await page.goto(`${shop.url}/next`);
    await dregs.saw(user, "dregs_identify", "dregs_init", "dregs_identify");
    await page.close();
    return judged(user, 3);
  };
  const updated = await shift("one-part", (page) => page.addInitScript(noise));
  const shifted = await shift("shifter", async (page) => {
    await page.addInitScript(noise);
    await processors(3)(await page.context().newCDPSession(page));
  });
  assert.doesNotMatch(updated.said, /within one tab/);
  assert.match(shifted.said, /within one tab it became another device\.$/);
  console.log(`humanity: a part changes ${updated.value}, another device ${shifted.value}`);
  assert.ok(updated.value >= 60 && shifted.value < 40, `${updated.value} ${shifted.value}: ${shifted.said}`);
});

test("what a fingerprint is made of is shown, with the event that reported it and with the device", async () => {
  await visit("shown");
  const reported = (await dregs.events()).find(({ eventName }) => eventName === "dregs_init");
  const desk = await browser();
  const analyst = await Analyst.arrive(desk, dregs);
  await analyst.open(`/events/${reported.id}`);
  const sent = await analyst.page.getByLabel("device, as dregs.js saw it", { exact: true }).innerText();
  for (const part of ["canvas", "fonts", "audio"]) assert.match(sent, new RegExp(`"${part}": "?[^"{}]+`));
  await analyst.open(`/devices/${reported.fingerprint}`);
  const made = await analyst.page.getByRole("group", { name: "In the fingerprint", exact: true }).innerText();
  for (const words of ["Canvas drawing", "Fonts", "Audio processing"]) assert.ok(made.includes(words), made);
  await analyst.leave();
  await desk.close();
});
