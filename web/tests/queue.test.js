// The queue of escalations while it is worked on and others open.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, pictures } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

const BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

test("the page that somebody works on stays full, however many open meanwhile and are closed", async () => {
  const rule = await dregs.call("POST", "/escalation-rules", { name: "Everybody", severity: "INFO", conditions: [{ type: "SCORE_LT", category: "HUMANITY", threshold: 100 }] });
  const open = async (ids) => {
    await dregs.call("POST", "/events/batch", ids.map((id) => ({ type: "user.login", identity: { id }, userAgent: BROWSER })));
    for (const id of ids) await eventually(`the escalation of ${id}`, async () => (await dregs.call("GET", `/escalations?rule=${rule.id}&identity=${id}`)).content.length > 0);
  };
  const ids = (name, count) => Array.from({ length: count }, (_, n) => `${name}-${n}`);
  await open(ids("many", 75));
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/escalations?rule=${rule.id}`);
  const rows = () => desk.locator("[aria-label=Escalations] > [role=option] bdi:first-child").allInnerTexts();
  const span = (text) => desk.getByText(text, { exact: true }).waitFor();
  await eventually("a page", async () => (await rows()).length === 50);
  await span("1 – 50 of 75");
  // Whatever it shows from now on is taken down: no picture of it may be short, or of something else.
  await desk.evaluate(() => {
    const list = document.querySelector("[aria-label=Escalations]");
    window.seen = [];
    new MutationObserver(() => window.seen.push([...list.querySelectorAll(":scope > [role=option] bdi:first-child")].map((who) => who.textContent))).observe(list, { childList: true, subtree: true });
  });
  const before = await rows();
  await open(ids("late", 5));
  await desk.getByText("5 new").waitFor();
  assert.deepEqual(await rows(), before);
  await span("1 – 50 of 75");
  // Those that are done with go, others come from below, and no row stands elsewhere.
  for (let done = 1; done <= 12; done += 1) {
    await desk.keyboard.press("a");
    await eventually(`${done} to be gone`, async () => (await rows())[0] === before[done]);
  }
  await open(ids("later", 3));
  await desk.getByText("8 new").waitFor();
  await span("1 – 50 of 63");
  const now = await rows();
  assert.equal(now.length, 50);
  assert.deepEqual(now.slice(0, 38), before.slice(12));
  assert.ok(now.every((id) => id.startsWith("many")), String(now));
  const order = (await dregs.call("GET", `/escalations?rule=${rule.id}&status=OPEN&sort=severity&order=DESC&pageSize=100`)).content.map(({ identity }) => identity.id);
  assert.deepEqual(now, order.filter((id) => id.startsWith("many")).slice(0, 50));
  await pictures(desk, "queue-full");
  const seen = await desk.evaluate(() => window.seen);
  assert.deepEqual(seen.filter((shown) => shown.length !== 50 || shown.some((id) => id.startsWith("late"))), []);
  // In each of them the rows stand in the order of the first, without those that were gone before.
  const gone = (shown) => before.indexOf(shown[0]);
  assert.deepEqual(seen.map(gone), seen.map(gone).toSorted((one, other) => one - other), "a row came back");
  await desk.getByRole("button", { name: "Next page" }).click();
  await eventually("the second page", async () => (await rows()).length === 21);
  assert.deepEqual(await rows(), order.slice(50));
  await desk.getByRole("button", { name: "Previous page" }).click();
  await eventually("what is new", async () => (await rows()).filter((id) => id.startsWith("late")).length === 8 && (await rows()).length === 50);
  await span("1 – 50 of 71");
  await analyst.leave();
});
