// Somebody at the dashboard, in a browser that complains of nothing and asks no other host for anything.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { ADMIN, PATIENCE_MS } from "./support.js";
import { houseWords } from "./words.js";

/** What Playwright waits for by itself. */
const PAGE_MS = 30_000;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A picture of a page as it is, for whoever wants to look: into the folder that PICTURES names. */
export async function picture(page, name, options = { fullPage: true }) {
  if (!process.env.PICTURES) return;
  mkdirSync(process.env.PICTURES, { recursive: true });
  await page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, ...options });
}

/** The same of what a window shows, on a phone and at a desk. */
export async function pictures(page, name) {
  if (!process.env.PICTURES) return;
  const before = page.viewportSize();
  for (const [kind, width, height] of [["phone", 390, 844], ["desk", 1440, 900]]) {
    await page.setViewportSize({ width, height });
    // The frame moves to where it is at this width.
    await page.waitForTimeout(500);
    // Where a dialog is long, what was filled in last is in sight.
    await page.evaluate(() => document.activeElement?.scrollIntoView({ block: "center" }));
    await picture(page, `${name}-${kind}`, {});
  }
  await page.setViewportSize(before);
}

export class Analyst {
  /** Opens the dashboard in a window of its own, signed in by its form. */
  static async arrive(chrome, dregs, { as = ADMIN, ...options } = {}) {
    const analyst = new Analyst();
    analyst.dregs = dregs;
    analyst.complaints = [];
    analyst.context = await chrome.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    analyst.context.setDefaultTimeout(Math.max(PATIENCE_MS, PAGE_MS));
    analyst.page = await analyst.context.newPage();
    analyst.listen();
    await analyst.page.goto(`${dregs.url}/sign-in`);
    await analyst.page.getByLabel("E-mail").fill(as.email);
    await analyst.page.locator("input[type=password]").fill(as.password);
    await analyst.page.getByRole("button", { name: "Sign in" }).click();
    await analyst.page.getByRole("navigation", { name: "Main" }).waitFor({ state: "attached" });
    return analyst;
  }

  listen() {
    const { page, dregs, complaints } = this;
    page.on("console", (message) => {
      // Chromium without a graphics card says how slow that is, whatever the page does.
      const isOfTheMachine = message.text().includes("GL Driver Message");
      if (["error", "warning"].includes(message.type()) && !isOfTheMachine) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== dregs.url) complaints.push(`a request to ${url.origin}`);
    });
  }

  /** Opens a page and waits until what it asked for is there. */
  async open(path) {
    await this.page.goto(this.dregs.url + path);
    await this.settled();
  }

  async settled() {
    await this.page.locator("h1").first().waitFor();
    await this.page.waitForFunction(() => !document.querySelector("[role=status][aria-label=Loading]"));
  }

  /** What axe finds on the page once nothing moves or fades any more, by its rule and the elements. */
  async barriers() {
    await this.page.evaluate(async () => {
      // One that follows a scroll position ends nowhere.
      const ends = ({ timeline, effect }) => timeline === document.timeline && Number.isFinite(effect?.getComputedTiming().endTime);
      await Promise.allSettled(document.getAnimations().filter(ends).map(({ finished }) => finished));
    });
    await this.page.evaluate(axe);
    const { violations } = await this.page.evaluate(() => window.axe.run());
    const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  }

  /** How much wider than the window the page is, in pixels. */
  overflow() {
    return this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }

  /** Buttons, tabs and headings of columns whose text does not fit into them; what is only for screen readers is a pixel wide. */
  cut() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(":is(button, a[class*=Button], [role=tab], th):not(:has(.clip))")]
        .flatMap((element) => [element, ...element.querySelectorAll("*")])
        .filter((element) => element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible")
        .map((element) => element.textContent),
    );
  }

  /** Where rows stand below each other: cells whose words have next to no room, and boxes that cannot be checked. */
  squeezed() {
    return this.page.evaluate(() => {
      // In a short row others are as wide as what they say.
      const isOwnLine = (cell) => !cell.closest("[data-short]") || cell.dataset.place === "head";
      const box = (element) => element.getBoundingClientRect().width;
      const room = (cell) => cell.clientWidth - parseFloat(getComputedStyle(cell).paddingLeft) - parseFloat(getComputedStyle(cell).paddingRight);
      const cells = [...document.querySelectorAll(".table-box[data-stacks] td")].filter((cell) => isOwnLine(cell) && box(cell) > 0 && cell.innerText.trim() !== "" && room(cell) < 60);
      const checks = [...document.querySelectorAll("input[type=checkbox]")].filter((check) => check.getClientRects().length > 0 && box(check) < 12);
      return [...cells.map((cell) => `${cell.dataset.title} of ${room(cell)} px`), ...checks.map((check) => `${check.ariaLabel} of ${box(check)} px`)];
    });
  }

  /** Chips that begin with a small letter. */
  smallChips() {
    return this.page.evaluate(() => [...document.querySelectorAll(".chip")].map((chip) => chip.textContent).filter((text) => /^[\d,]*\s*[a-z]/.test(text)));
  }

  /** Adds to what was found: barriers, words of the house, and what is too wide or cut. */
  async looksRight(found, what) {
    for (const barrier of await this.barriers()) found.push(`${what} ${barrier}`);
    const overflow = await this.overflow();
    if (overflow > 0) found.push(`${what} is ${overflow} px too wide`);
    for (const text of await this.cut()) found.push(`${what} cuts “${text}”`);
    for (const words of houseWords(await this.page.locator("body").innerText())) found.push(`${what} says “${words}”`);
    await picture(this.page, what);
  }

  async leave() {
    assert.deepEqual(this.complaints, []);
    await this.context.close();
  }
}
