// Lists on a phone: many rows at once, and in each what one needs to choose.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, picture } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

const LINES_MAX = 4;
const PHONE = { width: 390, height: 844 };
const UUID = "0b0c0d0e-1111-2222-3333-444455556666";
const CATEGORIES = ["Humanity", "Authenticity", "Uniqueness", "Behavior"];

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  for (const [name, category] of [["Shared device", "UNIQUENESS"], ["Not a person, as far as one can tell", "HUMANITY"]]) {
    await dregs.call("POST", "/escalation-rules", { name, severity: "CRITICAL", conditions: [{ type: "SCORE_LT", category, threshold: 70 }] });
  }
  const people = [["user-1", "Kim Lee"], ["user-2", "Alexandra Featherstonehaugh-Montgomery"], [UUID, undefined], ["user-3", "Zoë"]];
  const shared = { ip: "203.0.113.7", device: { fingerprint: "0123456789abcdef0123456789abcdef" }, groups: [{ type: "organization", id: "acme", data: { name: "Acme Incorporated" } }] };
  await dregs.call("POST", "/events/batch", people.map(([id, name]) => ({
    ...shared, type: "checkout.completed", identity: { id, data: name ? { name, email: `${id}@posteo.de` } : {} }, url: "https://shop.example.com/checkout/cart?step=2", userAgent: "python-requests/2.32",
  })));
  await eventually("an escalation of each", async () => new Set((await dregs.call("GET", "/escalations?pageSize=100")).content.map(({ identity }) => identity.id)).size === people.length);
  await eventually("a badge of each", async () => (await dregs.call("GET", "/identities")).content.every(({ badges }) => badges.length > 0));
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

/** In how many lines the words of each row stand: those whose middles are close to each other are in one. */
function linesOf(rows) {
  return rows.map((row) => {
    const middles = [];
    const walk = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(node);
      // What is for screen readers is a pixel wide.
      for (const { top, height, width } of range.getClientRects()) if (width > 1 && node.parentElement.closest("[class*=VisuallyHidden]") === null) middles.push(top + height / 2);
    }
    for (const cell of row.querySelectorAll("[data-title]")) if (cell.dataset.place === "part") middles.push(cell.getBoundingClientRect().top + 6);
    return middles.sort((one, other) => one - other).filter((middle, at) => at === 0 || middle - middles[at - 1] > 7).length;
  });
}

test("a row of a list has four lines at most", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: PHONE });
  const { page } = analyst;
  for (const path of ["/identities", "/escalations", "/events", "/devices", "/groups", "/groups/organization/acme", `/identities/${UUID}?tab=devices`, "/"]) {
    await analyst.open(path);
    const rows = page.locator(".table-box[data-short] tbody tr, [aria-label=Escalations] > [role=option]");
    await rows.first().waitFor();
    const lines = await rows.evaluateAll(linesOf);
    assert.ok(lines.length > 0 && lines.every((count) => count > 0 && count <= LINES_MAX), `${path} has rows of ${lines} lines`);
    assert.equal(await analyst.overflow(), 0, path);
    assert.deepEqual(await analyst.barriers(), [], path);
    await picture(page, `phone${path.replaceAll(/\W+/g, "-")}`, {});
  }
  await analyst.leave();
});

test("a short row of an identity says who it is, how it is scored, which badges it has and when it was active", async () => {
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: PHONE });
  const { page } = analyst;
  await analyst.open("/identities");
  const row = page.locator("tbody tr", { hasText: "Kim Lee" });
  const { badges } = (await dregs.call("GET", "/identities/user-1"));
  const parts = [row.getByRole("link", { name: "Kim Lee" }), row.getByText("user-1@posteo.de"), row.getByText("user-1", { exact: true }), row.getByText(badges[0].name), row.locator("time").first()];
  for (const part of [...parts, ...CATEGORIES.map((category) => row.locator(`[data-title=${category}] .chip`))]) {
    const box = await part.boundingBox();
    assert.ok(box && box.width > 5 && box.x >= 0 && box.x + box.width <= PHONE.width, `${part} is in sight`);
    assert.ok(await part.evaluate((element) => element.scrollWidth <= element.clientWidth + 1 || getComputedStyle(element).display === "inline"), `${part} is whole`);
  }
  // Each score stands below its own heading.
  const said = (title) => row.locator(`[data-title="${title}"]`).evaluate((cell) => getComputedStyle(cell, "::before").content);
  for (const title of [...CATEGORIES, "Last received"]) assert.equal(await said(title), `"${title}"`);
  const edges = await Promise.all(CATEGORIES.map((category) => row.locator(`[data-title=${category}]`).boundingBox()));
  assert.equal(new Set(edges.map(({ y }) => Math.round(y))).size, 1);
  // A row opens anywhere, and the same table at a desk is a table.
  await row.locator("[data-title=Behavior]").click();
  await page.waitForURL(/\/identities\/user-1/);
  await page.setViewportSize({ width: 1440, height: 900 });
  await analyst.open("/identities");
  assert.equal(await page.getByRole("columnheader", { name: "First seen" }).count(), 1);
  assert.equal(await page.locator("tbody tr td").first().evaluate((cell) => getComputedStyle(cell).display), "table-cell");
  await analyst.leave();
});
