// How long the dashboard's first page takes, in a browser that has nothing of it yet:
//   node first-page.js URL EMAIL PASSWORD [TIMES]
// prints, as JSON, milliseconds from the navigation until the page can be used and until its figures are there, the
// longest task of the main thread, and the bytes of script that were sent. The first load stands for itself, since the
// server may have just been started; of the rest it is the median.

import { chromium } from "playwright-core";
import { CHROMIUM } from "./support.js";

const [url, email, password, times = "5"] = process.argv.slice(2);

/** Notes when these are first on the page. */
function watch() {
  window.seen = {};
  window.tasks = [0];
  const marks = { interactive: ".nav a[href='/identities']", figures: "[data-figure=events]" };
  new MutationObserver(() => {
    for (const [name, selector] of Object.entries(marks)) {
      if (!window.seen[name] && document.querySelector(selector)) window.seen[name] = performance.now();
    }
  }).observe(document, { childList: true, subtree: true });
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: "longtask", buffered: true });
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
async function load() {
  const context = await browser.newContext();
  await context.addInitScript(watch);
  await context.request.post(`${url}/api/auth/login`, { data: { email, password } });
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => window.seen.figures, undefined, { timeout: 60_000 });
  const measured = await page.evaluate(() => ({
    interactiveMillis: window.seen.interactive,
    figuresMillis: window.seen.figures,
    longestTaskMillis: Math.max(...window.tasks),
    scriptBytes: performance
      .getEntriesByType("resource")
      .filter(({ name }) => name.endsWith(".js"))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  }));
  await context.close();
  return measured;
}

const first = await load();
const rest = [];
for (let time = 0; time < Number(times); time++) rest.push(await load());
const median = (name) => rest.map((measured) => measured[name]).sort((a, b) => a - b)[Math.floor(rest.length / 2)];
const usual = Object.fromEntries(Object.keys(first).map((name) => [name, median(name)]));
console.log(JSON.stringify({ first, usual }));
await browser.close();
