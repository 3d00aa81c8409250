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
  console.log(`${name}: ${(share * 100).toFixed(0)} % of ${RUNS}, from ${Math.min(...scores)} to ${Math.max(...scores)}`);
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

/** Moves the pointer as a hand does: in a bow, faster in the middle, not quite evenly. */
async function move(page, between, from, to) {
  const bow = between(-60, 60);
  const steps = Math.round(between(18, 30));
  for (let step = 1; step <= steps; step++) {
    const part = (1 - Math.cos((Math.PI * step) / steps)) / 2;
    const side = Math.sin(Math.PI * part) * bow + between(-1.5, 1.5);
    await page.mouse.move(from.x + (to.x - from.x) * part + side, from.y + (to.y - from.y) * part - side / 2);
    await page.waitForTimeout(between(4, 16));
  }
}

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
  } finally {
    await screen.close();
  }
});
