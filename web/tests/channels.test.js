// A channel from its creation in the settings to a delivery that failed and was sent again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, picture } from "./analyst.js";
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

test("a double click asks for a replay once", async () => {
  receiver.status = 200;
  const { id } = await dregs.call("POST", "/channels", { type: "WEBHOOK", name: "Twice", events: ["identity.scored"], config: { url: receiver.url } });
  await dregs.call("POST", "/events", { type: "user.signup", identity: { id: "dee", data: { name: "Dee" } } });
  const delivered = async () => (await dregs.call("GET", `/channels/${id}/deliveries?status=DELIVERED`)).content;
  await eventually("the delivery", async () => (await delivered()).length === 1);
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open(`/settings/channels/${id}`);
  await desk.getByRole("button", { name: "Replay…" }).click();
  const dialog = desk.getByRole("dialog");
  await dialog.getByLabel("Status").selectOption({ label: "Delivered" });
  await dialog.getByRole("button", { name: "Count" }).click();
  await dialog.getByRole("button", { name: "Replay 1 delivery" }).dblclick();
  await desk.getByText("1 delivery queued.").first().waitFor();
  await eventually("the replay", async () => (await delivered())[0]?.attemptCount === 2);
  assert.equal(await desk.getByText("0 deliveries queued.").count(), 0);
  await analyst.leave();
});

test("what is sent again while its channel fails says until when it is held, and where the rest is", async () => {
  const patient = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8", DREGS_RETRY_SCHEDULE: "3600" });
  const analyst = await Analyst.arrive(chrome, patient);
  try {
    const { page: desk } = analyst;
    receiver.status = 503;
    const { id } = await patient.call("POST", "/channels", { type: "WEBHOOK", name: "App", events: ["identity.scored"], config: { url: receiver.url } });
    const log = async (filter = "") => (await patient.call("GET", `/channels/${id}/deliveries?${filter}`)).content;
    for (const name of ["ann", "ben", "cas", "dan", "eli"]) {
      await patient.call("POST", "/events", { type: "user.signup", identity: { id: name, data: { name } } });
      await eventually(`an attempt about ${name}`, async () => (await log(`identity=${name}&httpStatus=503`)).length === 1);
    }
    await eventually("what is held", async () => (await log("status=HELD")).length === 5);

    // Nothing has failed for good: the log and the replay say what waits instead.
    await analyst.open(`/settings/channels/${id}?status=FAILED`);
    const hint = "5 deliveries are held, since the channel is failing.";
    await desk.getByText(hint).waitFor();
    await desk.getByRole("button", { name: "Replay…" }).click();
    const dialog = desk.getByRole("dialog");
    await dialog.getByRole("button", { name: "Count" }).click();
    // One of them may be on its way just now, to see whether the endpoint is well again.
    await dialog.getByText(/[45] deliveries are held, since the channel is failing\./).waitFor();
    assert.ok(await dialog.getByRole("button", { name: "Replay", exact: true }).isDisabled());
    assert.deepEqual(await analyst.barriers(), []);
    await dialog.getByRole("link", { name: "Show them" }).click();
    await desk.waitForURL(/status=HELD/);
    await dialog.waitFor({ state: "detached" });
    await desk.getByText("All that is not sent yet while the channel is failing", { exact: false }).waitFor();
    const rows = desk.getByRole("group", { name: "Deliveries" }).locator("tbody tr");
    await eventually("those that wait", async () => (await rows.count()) === 5);
    assert.match(await rows.first().innerText(), /Held\s+failed so far, 1 attempt, next/);

    const [delivery] = await log("identity=ann");
    await analyst.open(`/deliveries/${delivery.id}`);
    await desk.getByRole("button", { name: "Resend" }).click();
    const message = desk.getByRole("alert").filter({ hasText: /^Queued, with the same event id\. Held (until \d?\d:\d\d(:\d\d)?\s[AP]M, )?since the channel is failing/ });
    await message.getByRole("button", { name: "Retry now" }).waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    await desk.locator("dl.facts").first().getByText(/since the channel is failing/).waitFor();
    await desk.locator("main").getByRole("button", { name: "Retry now" }).waitFor();

    await analyst.open(`/settings/channels/${id}`);
    await rows.filter({ hasText: "ben" }).getByRole("checkbox").check();
    await desk.getByRole("button", { name: "Send them again" }).click();
    const queued = desk.getByRole("alert").filter({ hasText: /^1 queued, with the same event ids\. Held (until|since)/ });
    const figures = desk.getByRole("region", { name: "Success and latency" });
    await figures.getByText("0%: 0 of 5").waitFor();
    receiver.status = 200;
    await queued.getByRole("button", { name: "Retry now" }).click();
    // Long before it asks by itself.
    await figures.getByText("100%: 5 of 5").waitFor();
  } finally {
    await analyst.leave();
    await patient.stop();
  }
});

test("a channel is set to what it should send, by keyboard and on a phone", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await desk.setViewportSize({ width: 390, height: 844 });
  await analyst.open("/settings/channels");
  await desk.getByRole("button", { name: "New channel" }).click();
  await desk.getByLabel("Name", { exact: false }).fill("Crossings");
  await desk.getByLabel("URL").fill(`${receiver.url}/crossings`);
  await desk.getByLabel("Identity scored").check();
  const summary = desk.locator("summary", { hasText: "What is sent" });
  await summary.focus();
  await desk.keyboard.press("Enter");
  await desk.getByLabel("Scores", { exact: true }).selectOption("CROSSED");
  await desk.getByLabel("Threshold", { exact: true }).fill("");
  await desk.getByRole("button", { name: "Create" }).click();
  await desk.getByText("Must be from 1 to 100").waitFor();
  // Chromium tells of the refusal.
  analyst.complaints.splice(0);
  await desk.getByLabel("Threshold", { exact: true }).fill("40");
  await desk.getByRole("button", { name: "Add a condition" }).click();
  await desk.getByLabel("Type of condition").selectOption("IDENTITY_AGE_GT");
  await desk.getByRole("status").filter({ hasText: "Sends a score when any of the four crosses 40, either way" }).waitFor();
  assert.ok(await desk.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "it is wider than the phone");
  await summary.scrollIntoViewIfNeeded();
  await picture(desk, "filter");
  await desk.getByRole("button", { name: "Remove condition 1" }).click();
  await desk.getByRole("button", { name: "Create" }).click();
  await desk.getByRole("button", { name: "I have saved it" }).click();
  await desk.waitForURL(/\/settings\/channels\/\d+$/);
  await desk.getByText("Sends a score when any of the four crosses 40, either way.").waitFor();
  await dregs.call("POST", "/events", { type: "user.signup", identity: { id: "calm", data: { name: "Calm Person" } } });
  const id = Number(/\d+$/.exec(desk.url())[0]);
  await eventually("it to be left out", async () => (await dregs.call("GET", `/channels/${id}`)).leftOut === 1);
  await desk.reload();
  await desk.getByText("1 event", { exact: true }).waitFor();
  await analyst.leave();
});

test("an address that is none is named, and that there is no mail server is said once", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page: desk } = analyst;
  await analyst.open("/settings/channels");
  await desk.getByRole("button", { name: "New channel" }).click();
  await desk.getByLabel("Type").selectOption("EMAIL");
  await desk.getByLabel("Name", { exact: false }).fill("Mail");
  await desk.getByLabel("Recipients").first().fill("ada");
  await desk.keyboard.press("Enter");
  await desk.getByLabel("Identity scored").check();
  const said = desk.getByText(/There is no mail server/);
  await said.waitFor();
  assert.equal(await said.count(), 1);
  await desk.getByRole("button", { name: "Create" }).click();
  await desk.getByText("ada is not an e-mail address.").waitFor();
  assert.equal(await said.count(), 1);
  analyst.complaints.splice(0);
});
