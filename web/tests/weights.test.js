// Weights from labels, as an admin works with them: refused, proposed, in shadow, promoted and rolled back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

/** Who comes to the customer's kiosks, twenty to each, and among every five a script of its own. */
const USERS = 300;
const isBad = (n) => n % 5 === 4;

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const visit = (n) => ({
    type: "user.signup",
    identity: { id: `user-${n}` },
    ...(isBad(n) ? { userAgent: "python-requests/2.32", ip: `198.51.100.${n % 250}` } : { device: { fingerprint: `kiosk-${Math.floor(n / 25)}` } }),
  });
  for (let n = 0; n < USERS; n += 50) {
    await dregs.call("POST", "/events/batch", Array.from({ length: 50 }, (_, more) => visit(n + more)));
  }
  await eventually("everybody to be scored", async () => (await dregs.call("GET", "/system")).evaluation.waiting === 0);
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

test("weights are refused, proposed, looked at, promoted and rolled back, each by a click", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/settings/weights");
  const table = page.getByRole("group", { name: "Weights of the analyzers" });
  const device = table.getByRole("row").filter({ hasText: "Shared device" });
  const shown = async () => (await device.getByRole("cell").allTextContents()).slice(2);
  assert.deepEqual(await shown(), ["2", "2", "–"]);
  await page.getByRole("button", { name: "Calibrate" }).click();
  await page.getByRole("status").getByText("0 labeled bad and 0 labeled good in all; it takes 50 and 200.").waitFor();
  assert.deepEqual(await analyst.barriers(), []);

  const labels = Array.from({ length: USERS }, (_, n) => ({ identityId: `user-${n}`, outcome: isBad(n) ? "BAD" : "GOOD" }));
  await dregs.call("POST", "/labels", { labels });
  await page.getByRole("button", { name: "Calibrate" }).click();
  const version = page.getByRole("region", { name: "Version 1" });
  await version.getByText("Proposed").waitFor();
  await version.getByText("Look at this before you promote it").waitFor();
  await version.getByText(/"Shared device" would weigh .* instead of 2/).waitFor();
  assert.match(await version.locator("dl").innerText(), /Shared device\s+2 → /, "changes are told by names");
  assert.deepEqual(await shown(), ["2", "2", "–"], "a proposal changes nothing");

  await version.getByRole("button", { name: "Put in shadow" }).click();
  await version.getByText("Shadow", { exact: true }).waitFor();
  // What stood there of the proposal is no longer so.
  await page.getByText("Version 1 is below.").waitFor({ state: "detached" });
  await eventually("what is in shadow to be shown", async () => !(await shown()).includes("–"));
  const [, inForce, shadow] = await shown();
  assert.equal(inForce, "2");

  await version.getByRole("button", { name: "Promote" }).click();
  await page.getByRole("dialog").getByText("Everybody is rescored").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Promote" }).click();
  await version.getByText("In force", { exact: true }).waitFor();
  await eventually("it to be in force", async () => (await shown())[1] === shadow);
  assert.deepEqual(await analyst.barriers(), []);

  await version.getByRole("button", { name: "Roll back" }).click();
  await page.getByRole("dialog").getByText("The weights from before the first calibration will be in force again").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await version.getByText("Retired", { exact: true }).waitFor();
  await eventually("those of before to be in force", async () => (await shown())[1] === "2");

  await version.getByText("What was to be looked at before it was promoted").waitFor();
  const button = await page.getByRole("button", { name: "Calibrate" }).boundingBox();
  const note = await page.getByText(/^Weights are fitted to the earlier/).boundingBox();
  assert.ok(button.y < note.y + note.height && button.x > note.x + 300, "the button is beside its note");

  await analyst.open("/settings/audit-log");
  const log = page.getByRole("group", { name: "Audit log" });
  for (const words of ["Weights calibrated", "Weights put in shadow", "Weights promoted", "Weights rolled back"]) await log.getByText(words, { exact: true }).first().waitFor();
  for (const words of ["Version in force", "Version replaced"]) await log.getByText(words).first().waitFor();
  assert.doesNotMatch(await log.innerText(), /weights\.|inForce|roll-back/);
  await page.getByLabel("Any action").selectOption({ label: "Weights promoted" });
  await page.getByLabel("Any target").selectOption({ label: "Weights" });
  await page.waitForURL(/targetType=weights/);
  await analyst.open("/settings/weights");

  await page.setViewportSize({ width: 390, height: 800 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is cut off on a phone");
  const cells = table.locator("tbody tr").first().locator("td:visible");
  assert.deepEqual(await cells.evaluateAll((all) => all.map(({ dataset }) => dataset.title)), ["Analyzer", "Category", "Default", "In force", "In shadow"]);
  const widths = () => table.evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth]);
  await eventually(`the table not to scroll sideways: ${await widths()}`, async () => {
    const [scrolled, shown] = await widths();
    return scrolled <= shown;
  });
  await analyst.leave();
});

test("a gain that is none is called none", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  for (const [low, high, words] of [
    [0.00001, 0.0003, "no better, 95%"], [0, 0.021, "better by 0.021 at most"], [0.01, 0.02, "better by 0.010 to 0.020"], [-0.02, 0.01, "from worse by 0.020 to better by 0.010"], [-0.02, -0.01, "no better, perhaps worse by 0.020"],
  ]) {
    await page.route("**/api/weights", async (route) => {
      const answer = await route.fetch();
      const shown = await answer.json();
      shown.versions[0].report.recall.gain = { ...shown.versions[0].report.recall.gain, low, high };
      await route.fulfill({ response: answer, json: shown });
    });
    await analyst.open("/settings/weights");
    await page.getByText(words).first().waitFor();
    await page.unroute("**/api/weights");
  }
  await analyst.leave();
});

test("a rule asks for an AI agent, and says so in words", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/escalation-rules/new");
  await page.getByLabel("Name").fill("Assistants");
  const condition = page.getByRole("group", { name: "Condition 1" });
  await condition.getByLabel("Type of condition").selectOption("AGENT_IS");
  await condition.getByLabel("Agent", { exact: true }).fill("OpenAI");
  await condition.getByLabel("Signature").selectOption("true");
  assert.deepEqual(await analyst.barriers(), []);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText(/AI agent is OpenAI, verified/).waitFor();
  const rules = (await dregs.call("GET", "/escalation-rules")).content;
  assert.deepEqual(rules.find(({ name }) => name === "Assistants").conditions, [{ type: "AGENT_IS", agent: "OpenAI", verified: true }]);
  await analyst.leave();
});
