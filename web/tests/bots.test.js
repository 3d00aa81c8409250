// Who is taken for a program, and who for a person.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Builder } from "selenium-webdriver";
import { Options, ServiceBuilder } from "selenium-webdriver/chrome.js";
import { browser, CHROMIUM, Dregs, Screen, Shop } from "./support.js";

/** `RUNS=100` for the figures in the manual. */
const RUNS = Number(process.env.RUNS ?? 10);
const BOT_MAX = 30;
const PERSON_MIN = 60;

let shop, dregs;

before(async () => {
  shop = await Shop.open();
  dregs = await Dregs.start(() => [shop.url]);
  shop.dregs = dregs;
  shop.says();
});

after(async () => {
  await dregs?.stop();
  shop?.close();
});

/** Runs `visit` so often, and says how many scores `holds` is true of. */
async function share(name, visit, holds) {
  const scores = [];
  for (let run = 0; run < RUNS; run++) {
    const user = `${name}-${run}`;
    await visit(user);
    scores.push(await dregs.score(user, "HUMANITY"));
  }
  const share = scores.filter(holds).length / RUNS;
  console.log(`${name}: ${(share * 100).toFixed(0)}% of ${RUNS}, from ${Math.min(...scores)} to ${Math.max(...scores)}`);
  return share;
}

/** Signs up as a script does. */
const signUp = (user) => `dregs('identify', '${user}'); dregs('track', 'sign-up')`;

for (const [name, options] of [
  ["headless Chromium by Playwright", {}],
  ["the old headless mode's user agent", { args: ["--no-sandbox", "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/143.0.0.0 Safari/537.36"] }],
]) {
  test(`${name} is taken for a program`, async () => {
    const launched = await browser(options);
    const visit = async (user) => {
      const context = await launched.newContext();
      const page = await context.newPage();
      await page.goto(shop.url);
      await page.evaluate(signUp(user));
      await page.fill("#name", "Robert Miller");
      await page.click("#buy");
      await dregs.saw(user, "dregs_identify", "sign-up");
      await context.close();
    };
    const low = await share(name.replaceAll(/[^A-Za-z]/g, "-"), visit, (score) => score < BOT_MAX);
    await launched.close();
    assert.ok(low >= 0.95, `${low}`);
  });
}

test("Selenium is taken for a program", async () => {
  const options = new Options().addArguments("--no-sandbox", "--headless=new").setChromeBinaryPath(CHROMIUM);
  const service = new ServiceBuilder(process.env.CHROMEDRIVER ?? "/usr/bin/chromedriver");
  const driver = await new Builder().forBrowser("chrome").setChromeOptions(options).setChromeService(service).build();
  const visit = async (user) => {
    await driver.get(shop.url);
    await driver.executeScript("sessionStorage.clear()");
    await driver.get(shop.url);
    await driver.executeScript(signUp(user));
    await dregs.saw(user, "dregs_identify", "sign-up");
  };
  const low = await share("selenium", visit, (score) => score < BOT_MAX).finally(() => driver.quit());
  assert.ok(low >= 0.95, `${low}`);
});

/** A number between two, of a generator that gives the same ones each time. */
function hand(seed) {
  let state = seed * 2_654_435_761 + 1;
  return (least, most) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return least + ((most - least) * state) / 2_147_483_648;
  };
}

/** Moves the pointer as a hand does: in a bow, with the least jerk (Flash and Hogan, 1985), not quite evenly. */
async function move(page, between, from, to) {
  const bow = between(-60, 60);
  const steps = Math.round(between(18, 30));
  for (let step = 1; step <= steps; step++) {
    const time = step / steps;
    const part = time ** 3 * (10 - 15 * time + 6 * time ** 2);
    const side = Math.sin(Math.PI * part) * bow + between(-1.5, 1.5);
    await page.mouse.move(from.x + (to.x - from.x) * part + side, from.y + (to.y - from.y) * part - side / 2);
    await page.waitForTimeout(between(4, 16));
  }
}

/** What is said of how `operate` operates a page. */
async function operated(launched, user, operate) {
  const page = await launched.newPage();
  await page.goto(shop.url);
  await page.evaluate(`dregs('identify', '${user}')`);
  await dregs.saw(user, "dregs_identify");
  await operate(page);
  await page.evaluate("dregs('track', 'sign-up')");
  const events = await dregs.saw(user, "dregs_identify", "sign-up");
  await page.close();
  const said = await dregs.observation(user, "humanity.interaction", events.length);
  return said && [said.value, said.explanation];
}

/** Where a pointer goes: to six places, in no direction that keys move it in. */
const PLACES = [[60, 80], [700, 290], [320, 420], [90, 130], [600, 480], [900, 330], [140, 480]];
const STRAIGHT = "100% of the pointer's latest long movements were straight lines at one speed; a hand bends and slows.";

async function moveStraight(page, pause, steps) {
  await page.mouse.move(...PLACES[0]);
  for (const place of PLACES.slice(1)) {
    await page.mouse.move(...place, { steps });
    if (pause > 0) await page.waitForTimeout(pause);
  }
}

test("a pointer that goes straight at one speed is a script's, however long it rests and in how many steps it goes", async () => {
  const launched = await browser();
  for (const [pause, steps] of [[0, 20], [100, 20], [300, 20], [300, 5], [300, 60], [2_000, 20]]) {
    const user = `straight-${pause}-${steps}`;
    const [value, words] = (await operated(launched, user, (page) => moveStraight(page, pause, steps))) ?? [];
    assert.ok(value <= 0.25 && words === STRAIGHT, `${user}: ${value}, ${words}`);
  }
  await launched.close();
});

test("a little says nothing, for or against: a jump, a form filled in, two clicks", async () => {
  const launched = await browser();
  const fill = async (page) => {
    await page.mouse.move(300, 200);
    await page.fill("#name", "Robert Miller");
    await page.click("#buy");
    await page.click("#buy");
  };
  assert.equal(await operated(launched, "filled", fill), undefined);
  const autofilled = async (page) => {
    await page.mouse.click(60, 80);
    await page.mouse.click(60, 80);
  };
  assert.equal(await operated(launched, "autofilled", autofilled), undefined);
  await launched.close();
});

test("many strokes that bend and slow are a hand's", async () => {
  const launched = await browser();
  const between = hand(7);
  const wander = async (page) => {
    for (let stroke = 0; stroke < 20; stroke++) {
      const [[x, y], [toX, toY]] = [PLACES[stroke % 7], PLACES[(stroke + 1) % 7]];
      await move(page, between, { x, y }, { x: toX, y: toY });
      await page.waitForTimeout(between(150, 600));
    }
  };
  assert.deepEqual(await operated(launched, "wanderer", wander), [0.72, "Pointer and keys went as a hand's do."]);
  await launched.close();
});

test("a person at a screen is taken for one", async () => {
  const screen = await Screen.open();
  try {
    const visit = async (user) => {
      const between = hand(Number(user.split("-").at(-1)) + 1);
      const page = await screen.browser.contexts()[0].newPage();
      await page.goto(shop.url);
      await page.waitForTimeout(between(300, 600));
      const field = { x: between(40, 120), y: between(75, 85) };
      await move(page, between, { x: between(500, 900), y: between(300, 600) }, field);
      await page.focus("#name");
      await page.mouse.click(field.x, field.y, { delay: between(50, 110) });
      for (const letter of "Ada Lovelace") {
        await page.keyboard.press(letter === " " ? "Space" : letter, { delay: between(30, 70) });
        await page.waitForTimeout(between(40, 190));
      }
      const box = await page.locator("#buy").boundingBox();
      const button = { x: box.x + between(5, box.width - 5), y: box.y + between(5, box.height - 5) };
      await move(page, between, field, button);
      await page.mouse.click(button.x, button.y, { delay: between(50, 110) });
      await page.evaluate(signUp(user));
      await dregs.saw(user, "dregs_identify", "sign-up");
      await page.close();
    };
    const high = await share("person", visit, (score) => score >= PERSON_MIN);
    assert.ok(high >= 0.95, `${high}`);
    const said = await dregs.observation("person-0", "humanity.interaction", 2);
    assert.ok(said === undefined || said.value > 0.5, said?.explanation);
  } finally {
    await screen.close();
  }
});

test("a browser on a screen that gives nothing away is found where its pointer goes straight", async () => {
  const screen = await Screen.open();
  try {
    const visit = async (user) => {
      const page = await screen.browser.contexts()[0].newPage();
      await page.goto(shop.url);
      await moveStraight(page, 300, 20);
      await page.click("#buy");
      await page.evaluate(signUp(user));
      await dregs.saw(user, "dregs_identify", "sign-up");
      await page.close();
    };
    const low = await share("straight", visit, (score) => score < PERSON_MIN);
    assert.ok(low >= 0.95, `${low}`);
  } finally {
    await screen.close();
  }
});
