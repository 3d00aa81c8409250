// A rule is changed with care: drafted, compared on the past, put in force, rolled back; its record is read.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

const RING = ["ring-1", "ring-2", "ring-3", "ring-4", "ring-5"];

let dregs, chrome, rule;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  const below = [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 60 }];
  await dregs.call("POST", "/badge-rules", { name: "Multiple accounts", type: "BAD", conditions: below });
  rule = await dregs.call("POST", "/escalation-rules", { name: "Shared device", severity: "CRITICAL", conditions: below });
  const signUp = (id, name) => ({
    type: "user.signup", identity: { id, data: { name, email: `${id}@posteo.de` } }, session: id, ip: "203.0.113.7",
    device: { fingerprint: "0123456789abcdef0123456789abcdef" },
  });
  await dregs.call("POST", "/events/batch", RING.map((id, n) => signUp(id, `Kim Lee ${n + 1}`)));
  await eventually("an escalation of each", async () => (await dregs.call("GET", `/escalations?rule=${rule.id}`)).content.length === RING.length);
  for (const [n, id] of RING.slice(0, 4).entries()) {
    await dregs.call("POST", `/identities/${id}/actions/label`, { outcome: n < 3 ? "BAD" : "GOOD" });
  }
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

/** The numbers of a comparison, by what its rows are called. */
async function compared(page, name) {
  const rows = page.getByRole("group", { name: `In force and ${name}` }).getByRole("row");
  await rows.nth(1).waitFor();
  return (await rows.allInnerTexts()).slice(1).map((row) => row.split(/\s*\t\s*|\n/).slice(0, 2).join(": "));
}

test("a change is drafted, compared with the rule on the same past, put in force and rolled back", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open(`/escalation-rules/${rule.id}`);
  const threshold = page.getByRole("textbox", { name: "Threshold" });
  await threshold.fill("0");
  await page.getByRole("button", { name: "Save as draft" }).click();
  const draft = page.getByRole("region", { name: "Draft beside this rule" });
  await draft.getByText(/by admin@example\.com/i).waitFor();
  // The form begins anew with the rule, which stays as it is.
  await eventually("the form to be as the rule is", async () => (await threshold.inputValue()) === "60");
  assert.equal((await dregs.call("GET", `/escalation-rules/${rule.id}`)).conditions[0].threshold, 60);
  await draft.getByRole("button", { name: "Compare" }).click();
  assert.deepEqual(await compared(page, "draft"), ["In force: 5", "Draft: 0", "Both: 0", "Only in force: 5", "Only draft: 0"]);
  await draft.getByText("3 right, 1 wrong").first().waitFor();
  assert.deepEqual(await analyst.barriers(), []);

  // Edited, it is compared anew.
  await draft.getByRole("button", { name: "Edit" }).click();
  await eventually("the draft in the form", async () => (await threshold.inputValue()) === "0");
  await threshold.fill("99");
  await page.getByRole("button", { name: "Save as draft" }).click();
  await draft.getByText(/below 99/).first().waitFor();
  await draft.getByRole("button", { name: "Compare" }).click();
  assert.equal((await compared(page, "draft"))[2], "Both: 5");

  await draft.getByRole("button", { name: "Put in force…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Put in force" }).click();
  await draft.waitFor({ state: "detached" });
  await eventually("the form to be as the draft was", async () => (await threshold.inputValue()) === "99");
  const first = page.getByRole("group", { name: "Version 1" });
  await first.getByRole("button", { name: "Compare" }).click();
  assert.equal((await compared(page, "version 1"))[1], "Version 1: 5");
  assert.deepEqual(await analyst.barriers(), []);
  await first.getByRole("button", { name: "Restore…" }).click();
  await page.getByRole("dialog").getByRole("list", { name: "Differences" }).getByText(/below 60/).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await page.getByText(/^Version 3, .*in force$/).waitFor();
  await eventually("the form to be as it was", async () => (await threshold.inputValue()) === "60");
  await analyst.open("/settings/audit-log");
  await page.getByRole("group", { name: "Audit log" }).getByText("Escalation rule drafted").first().waitFor();
  await analyst.leave();
});

test("the record of a rule, a badge and an analyzer stands on its page", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open(`/escalation-rules/${rule.id}`);
  await page.getByRole("img", { name: "5 escalations opened, 3 labels right, 1 label wrong, by week" }).waitFor();
  const overlap = page.getByRole("region", { name: "Overlap" });
  await overlap.getByRole("row").filter({ hasText: "Multiple accounts" }).getByText("4 of 5 (80%)").first().waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await overlap.getByRole("link", { name: "Multiple accounts" }).click();
  await page.getByRole("heading", { name: "Badge rule: Multiple accounts" }).waitFor();
  await page.getByRole("region", { name: "Overlap" }).getByRole("row").filter({ hasText: "Shared device" }).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.open("/rules");
  await page.getByRole("link", { name: "Shared device" }).last().click();
  await page.getByRole("heading", { name: "Analyzer: Shared device" }).waitFor();
  await page.getByRole("img", { name: "3 labels right, 1 label wrong, by week" }).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await analyst.leave();
});

test("on a phone the page of a rule is no wider than the window", async () => {
  await dregs.call("PUT", `/escalation-rules/${rule.id}/draft`, { name: "Shared device", severity: "INFO", conditions: [{ type: "SCORE_LT", category: "UNIQUENESS", threshold: 5 }] });
  const analyst = await Analyst.arrive(chrome, dregs, { viewport: { width: 390, height: 844 } });
  const { page } = analyst;
  for (const path of [`/escalation-rules/${rule.id}`, "/analyzers/uniqueness.shared-device"]) {
    await analyst.open(path);
    await page.getByRole("region", { name: "Overlap" }).getByRole("row").first().waitFor();
    const compare = page.getByRole("region", { name: "Draft beside this rule" }).getByRole("button", { name: "Compare" });
    if (await compare.count()) {
      await compare.click();
      await compared(page, "draft");
    }
    assert.equal(await analyst.overflow(), 0, path);
    assert.deepEqual(await analyst.barriers(), [], path);
  }
  await analyst.leave();
});
