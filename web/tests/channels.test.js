// A channel from its creation in the settings to a delivery that failed and was sent again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { Receiver } from "./receiver.js";
import { browser, Dregs, eventually } from "./support.js";

let dregs, chrome, receiver;

before(async () => {
  receiver = await Receiver.open();
  dregs = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8", DREGS_RETRY_SCHEDULE: "1" });
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  receiver?.close();
});

/** Makes a channel as a person does, and gives its secret, which is shown once. */
async function create(desk) {
  await desk.getByRole("button", { name: "New channel" }).click();
  await desk.getByLabel("Name", { exact: false }).fill("My app");
  await desk.getByLabel("URL").fill(receiver.url);
  await desk.getByLabel("Identity scored").check();
  await desk.getByRole("button", { name: "Create" }).click();
  const secret = await desk.locator("[data-secret]").innerText();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  // A stray key does not take it away.
  await desk.keyboard.press("Escape");
  assert.ok(await desk.locator("[data-secret]").isVisible());
  await desk.getByRole("button", { name: "I have saved it" }).click();
  await desk.waitForURL(/\/settings\/channels\/\d+$/);
  return secret;
}

test("a channel is made, fails, is mended, and what it missed is sent again", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/channels");
  receiver.secret = await create(desk);
  await desk.reload();
  await analyst.settled();
  assert.ok(!(await desk.content()).includes(receiver.secret), "the secret is shown again");

  receiver.status = 503;
  await dregs.call("POST", "/events", { type: "user.signup", identity: { id: "ada", data: { name: "Ada Lovelace" } } });
  // The log shows it by itself.
  const row = desk.locator("tbody tr").filter({ hasText: "Failed" }).filter({ hasText: "503" });
  await row.click();
  await desk.waitForURL(/\/deliveries\/\d+$/);
  for (const number of [1, 2]) {
    const attempt = desk.getByRole("region", { name: `Attempt ${number}` });
    await attempt.getByText("503").first().waitFor();
    const wire = attempt.locator("details");
    if ((await wire.getAttribute("open")) === null) await wire.locator("summary").click();
    await attempt.getByText("the queue is full").waitFor();
    await attempt.getByText(/"identityId":\s*"ada"/).first().waitFor();
  }

  receiver.status = 200;
  const before = receiver.taken.length;
  await desk.getByRole("button", { name: "Resend" }).click();
  await desk.getByRole("region", { name: "Attempt 3" }).getByText("Delivered").waitFor();
  const ids = await eventually("the repeat", () => receiver.taken.length > before && receiver.taken.map(({ message }) => message.id));
  assert.equal(new Set(ids).size, 1);
  assert.ok(receiver.taken.every(({ isGenuine }) => isGenuine));
  await analyst.leave();
});

test("a channel whose endpoint is mended need not wait", async () => {
  const patient = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8", DREGS_RETRY_SCHEDULE: "600" });
  const analyst = await Analyst.arrive(chrome, patient);
  try {
    const { page: desk } = analyst;
    await analyst.open("/settings/channels");
    receiver.secret = await create(desk);
    receiver.status = 503;
    await patient.call("POST", "/events", { type: "user.signup", identity: { id: "ada", data: { name: "Ada Lovelace" } } });
    const retry = desk.getByRole("button", { name: "Retry now" });
    await retry.waitFor();
    receiver.status = 200;
    await retry.click();
    await desk.locator("tbody tr").filter({ hasText: "Delivered" }).waitFor();
    await desk.getByText("Healthy").first().waitFor();
    await retry.waitFor({ state: "detached" });
  } finally {
    await analyst.leave();
    await patient.stop();
  }
});
