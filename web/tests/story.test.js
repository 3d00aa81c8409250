// The whole story: a visitor of a small shop is scored, the application is told, and somebody looks into it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { Receiver } from "./receiver.js";
import { browser, Dregs, eventually, Shop } from "./support.js";

let shop, dregs, chrome, receiver;

before(async () => {
  shop = await Shop.open();
  receiver = await Receiver.open();
  dregs = await Dregs.start(() => [shop.url], { DREGS_EGRESS_ALLOW: "127.0.0.0/8" });
  shop.dregs = dregs;
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  receiver?.close();
  shop?.close();
});

test("from a purchase in a shop to an acknowledged escalation", async () => {
  const channel = await dregs.call("POST", "/channels", {
    type: "WEBHOOK", name: "Shop", events: ["escalation.opened"], config: { url: receiver.url },
  });
  receiver.secret = channel.signingSecret;
  const rule = await dregs.call("POST", "/escalation-rules", {
    name: "Scripts that buy", severity: "CRITICAL", channels: [channel.slug],
    conditions: [{ type: "SCORE_LT", category: "HUMANITY", threshold: 30 }],
  });
  const analyst = await Analyst.arrive(chrome, dregs);

  // A visitor signs up and buys, and a program moves the mouse.
  shop.says();
  const visitor = await chrome.newContext();
  const page = await visitor.newPage();
  await page.goto(shop.url);
  await page.fill("#name", "Mallory Archer");
  await page.evaluate(() => {
    window.dregs("identify", "mallory", { email: "mallory@yopmail.com", name: "Mallory Archer" });
    window.dregs("track", "sign-up");
    window.dregs("track", "purchase", { total: 499 });
  });
  await page.click("#buy");
  await dregs.saw("mallory", "dregs_identify", "sign-up", "purchase");
  await visitor.close();

  // The application hears of it, and of nobody else.
  const told = await receiver.genuine("ESCALATION_OPENED");
  assert.equal(told.identityId, "mallory");
  assert.ok(told.data.scores.humanity < 30, JSON.stringify(told.data));

  // The dashboard, which has been open all the time, shows it by itself.
  const { page: desk } = analyst;
  await desk.locator(".nav").getByLabel(/^\d+ open$/).waitFor();
  await desk.getByRole("button", { name: "Go to the dashboard" }).click();
  await desk.getByRole("link", { name: "Open the queue" }).click();
  const escalation = desk.locator("[role=option]", { hasText: "Scripts that buy" });
  await escalation.click();
  await desk.getByRole("region", { name: "Escalation of Mallory Archer" }).waitFor();
  // Why: the observations, in words.
  await desk.keyboard.press("Enter");
  await desk.waitForURL(`${dregs.url}/identities/mallory`);
  await desk.getByRole("region", { name: "Humanity" }).getByText(/navigator\.webdriver|automat/i).first().waitFor();
  // Back at the same escalation, one key says that somebody is at it.
  await desk.goBack();
  await desk.locator("[role=option][aria-selected=true]", { hasText: "Scripts that buy" }).waitFor();
  // Keys act on nothing behind a dialog.
  await desk.keyboard.press("?");
  await desk.getByRole("dialog").waitFor();
  await desk.keyboard.press("c");
  await desk.keyboard.press("Escape");
  await desk.getByRole("dialog").waitFor({ state: "detached" });
  await desk.keyboard.press("a");
  await escalation.waitFor({ state: "detached" });
  await eventually("the acknowledgement", async () => {
    const { content } = await dregs.call("GET", `/escalations?identity=mallory&rule=${rule.id}`);
    return content[0].status === "ACKNOWLEDGED";
  });
  await analyst.leave();
});
