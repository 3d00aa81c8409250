// A rule over events: a counter is added, asked for beside facts, tried on the past, and opens an escalation at the event
// that it is about.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, pictures } from "./analyst.js";
import { browser, Dregs, eventually } from "./support.js";

let dregs, chrome;
const buys = (user, amount, number) => ({
  id: `${user}-${number}`, type: "checkout.completed", identity: { id: user, data: { plan: "free" } }, data: { amount, cart: { coupon: "WELCOME" } },
});

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  for (const [n, amount] of [700, 20].entries()) await dregs.call("POST", "/events?wait=10000", buys(["ada", "bob"][n], amount, 1));
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

test("a ready-made counter is added and counts the past; one of one's own is refused where it is wrong", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const dialog = page.getByRole("dialog");
  await analyst.open("/settings/counters");
  await page.getByText("No counters yet").waitFor();
  await page.getByRole("button", { name: "Ready-made…" }).click();
  // What stands on a button is to be read whole.
  const cut = () => dialog.locator(".mantine-Button-label").evaluateAll((labels) => labels.filter((label) => label.scrollWidth > label.clientWidth).length);
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await dialog.getByRole("button", { name: /^Add Purchases of one account/ }).first().waitFor();
    assert.equal(await cut(), 0, `at ${width}`);
  }
  await pictures(page, "counters-ready-made");
  await dialog.getByRole("button", { name: /^Add Purchases of one account/ }).first().click();
  await dialog.getByRole("button", { name: /^Added Purchases of one account/ }).first().waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  // One that is of a field asks which it is, and has its example there.
  await dialog.getByRole("button", { name: "Add Sum of purchases of one account in 24 h" }).click();
  const field = dialog.getByLabel("Field of the event's data", { exact: true }).first();
  assert.equal(await field.inputValue(), "amount");
  await field.fill("");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByText("Enter a field, such as amount.").waitFor();
  await field.fill("cart.total");
  await page.keyboard.press("Tab");
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "counters-ready-made-field");
  await page.setViewportSize({ width: 1280, height: 900 });
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByRole("button", { name: "Added Sum of purchases of one account in 24 h" }).waitFor();
  const summed = (await dregs.call("GET", "/counters")).content.find((counter) => counter.function === "SUM");
  assert.equal(summed.of, "event.data.cart.total");
  await dregs.call("DELETE", `/counters/${summed.id}`);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("table").getByText("Ready", { exact: true }).waitFor();

  await page.getByRole("button", { name: "New counter…" }).click();
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("Enter a name.").waitFor();
  const fact = dialog.getByLabel("Fact", { exact: true }).first();
  const per = dialog.getByLabel("For each", { exact: true }).first();
  const said = (...texts) => Promise.all(texts.map((text) => dialog.getByText(text, { exact: true }).first().waitFor()));
  await dialog.getByLabel("Counts").selectOption("SUM");
  assert.equal(await fact.getAttribute("placeholder"), "event.data.amount");
  // What has numbers can be summed up, and nothing else is offered.
  await fact.click();
  await page.getByRole("option", { name: "event.data.amount", exact: true }).waitFor();
  assert.deepEqual((await page.getByRole("option").filter({ visible: true }).allInnerTexts()).filter((name) => !name.endsWith("Seconds")), ["event.data.amount"]);
  await page.keyboard.press("Tab");
  // All that is wrong is marked at once, and a 0 stays where it was written.
  await per.fill("");
  await page.keyboard.press("Tab");
  const within = dialog.getByLabel("Within", { exact: true });
  await within.fill("0");
  await dialog.getByRole("button", { name: "Add a condition" }).click();
  await dialog.getByLabel("Type of condition").selectOption("FACT_GT");
  await dialog.getByText("Available once every field is filled in.").waitFor();
  await dialog.getByRole("button", { name: "Create" }).click();
  const aNumber = "Enter a fact, such as event.data.amount.";
  await said("Enter a name.", aNumber, "Enter a fact, such as device.", "Must be from 1 to 720 hours.", "Enter a number.");
  assert.equal(await dialog.getByText(aNumber, { exact: true }).count(), 2, "of the counter, and of its condition");
  assert.equal(await within.inputValue(), "0");
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "counters-all-wrong");
  await page.setViewportSize({ width: 1280, height: 900 });
  await dialog.getByRole("button", { name: "Remove condition 1" }).click();
  await within.fill("1");
  // What the server alone can tell is said beside what the form knows.
  await fact.fill("amount");
  await per.fill("score.humanity");
  await page.keyboard.press("Tab");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText(/^"amount" is no fact: did you mean event\.data\.amount/).waitFor();
  await said("Enter a name.", "Must be a fact that stands for somebody or something, such as device or identity.id.");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Spent in a day");
  await fact.fill("event.data.amount");
  await per.fill("identity.id");
  await page.keyboard.press("Tab");
  // What it would say now helps to choose a threshold.
  const values = dialog.getByRole("region", { name: "Values now" });
  await values.getByRole("row").filter({ hasText: "ada" }).getByText("700", { exact: true }).waitFor();
  assert.match(await values.innerText(), /2 values of identity\.id\s+2 of 2 events counted\./);
  assert.equal(await values.getByRole("link", { name: "ada" }).getAttribute("href"), "/identities/ada");
  assert.deepEqual(await values.getByRole("group", { name: "Thresholds" }).getByRole("row").allInnerTexts(), ["Counter above\tValues", "20\t1 of 2", "700\t0 of 2"]);
  await pictures(page, "event-rules-counter");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("table").getByText("Spent in a day", { exact: true }).waitFor();
  await eventually("both to be ready", async () => (await dregs.call("GET", "/counters")).content.every(({ status }) => status === "READY"));
  assert.deepEqual(await analyst.barriers(), []);
  analyst.complaints.splice(0);

  // What is stored has its values, too.
  const row = page.getByRole("row").filter({ hasText: "Spent in a day" });
  await row.getByText("No rule", { exact: true }).waitFor();
  await row.getByRole("button", { name: "Values…" }).click();
  await dialog.getByRole("row").filter({ hasText: "bob" }).getByText("20", { exact: true }).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "counters-values");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  // It is changed as it was made.
  await row.getByRole("button", { name: "Edit…" }).click();
  assert.equal(await dialog.getByLabel("Fact", { exact: true }).first().inputValue(), "event.data.amount");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Spent today");
  await dialog.getByLabel("Counts").selectOption("MAX");
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "counters-edit");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("table").getByText("Spent today", { exact: true }).waitFor();
  const named = async (name) => (await dregs.call("GET", "/counters")).content.find((counter) => counter.name === name);
  const { slug, function: counts, of } = await named("Spent today");
  assert.deepEqual([slug, counts, of], ["spent-in-a-day", "MAX", "event.data.amount"]);
  await dregs.call("PATCH", `/counters/${(await named("Spent today")).id}`, { name: "Spent in a day", function: "SUM" });
  await eventually("it to be ready again", async () => (await named("Spent in a day")).status === "READY");
});

test("the window of a counter is written in the unit in which the list shows it, and so is what is wrong with it", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const dialog = page.getByRole("dialog");
  const within = dialog.getByLabel("Within", { exact: true });
  const unit = dialog.getByLabel("Within: unit");
  const stored = async (name) => (await dregs.call("GET", "/counters")).content.find((counter) => counter.name === name);
  await analyst.open("/settings/counters");
  await page.getByRole("button", { name: "New counter…" }).click();
  assert.deepEqual(await unit.locator("option").allInnerTexts(), ["minutes", "hours", "days"]);
  await dialog.getByRole("textbox", { name: "Name" }).fill("Lately");
  for (const [name, amount, said] of [["days", "31", "Must be from 1 to 30 days."], ["hours", "721", "Must be from 1 to 720 hours."], ["minutes", "43201", "Must be from 1 to 43,200 minutes."]]) {
    await unit.selectOption(name);
    await within.fill(amount);
    await dialog.getByText(said, { exact: true }).waitFor();
    // It is not put right unseen.
    await unit.focus();
    assert.equal((await within.inputValue()).replaceAll(",", ""), amount);
  }
  // On a phone the unit is to be read, too.
  await page.setViewportSize({ width: 390, height: 844 });
  const { width } = await unit.boundingBox();
  assert.ok(width >= 100, `the unit has ${width} px`);
  await page.setViewportSize({ width: 1280, height: 900 });
  await pictures(page, "counters-window");
  await within.fill("");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("Must be from 1 to 43,200 minutes.").waitFor();
  assert.equal(await stored("Lately"), undefined);
  // The browser notes that the server was asked what else is wrong.
  await eventually("the refusal", async () => analyst.complaints.splice(0).length > 0);
  await within.fill("90");
  await dialog.getByRole("button", { name: "Create" }).click();
  const row = page.getByRole("row").filter({ hasText: "Lately" });
  await row.getByText("in 90 minutes").waitFor();
  assert.equal((await stored("Lately")).windowSeconds, 5_400);
  // One that a program has made so is shown as it is.
  for (const [windowSeconds, words, amount, name] of [[5_400, "90 minutes", "90", "minutes"], [172_800, "2 days", "2", "days"], [90, "90 seconds", "90", "seconds"]]) {
    await dregs.call("PATCH", `/counters/${(await stored("Lately")).id}`, { windowSeconds });
    await analyst.open("/settings/counters");
    await row.getByText(`in ${words}`).waitFor();
    await row.getByRole("button", { name: "Edit…" }).click();
    assert.equal(await within.inputValue(), amount);
    assert.equal(await unit.locator("option:checked").innerText(), name);
    await page.keyboard.press("Escape");
  }
  await dregs.call("DELETE", `/counters/${(await stored("Lately")).id}`);
  await analyst.leave();
});

test("what is to be chosen is asked for, and only lists that fit are offered", async () => {
  await dregs.call("POST", "/lists", { name: "Offices", type: "NETWORK" });
  await dregs.call("POST", "/lists", { name: "Partners", type: "EMAIL_DOMAIN" });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/escalation-rules/new");
  await page.getByRole("textbox", { name: "Name" }).fill("Unsaid");
  const condition = page.getByRole("group", { name: "Condition 1", exact: true });
  const kind = condition.getByLabel("Type of condition").first();
  const field = (label) => condition.getByLabel(label, { exact: true }).first();
  for (const [type, ...messages] of [
    ["FACT_GT", "Enter a fact, such as event.data.amount.", "Enter a number."],
    ["FACT_EQ", "Enter a fact, such as device.", "Enter a value."],
    ["FACT_CONTAINS", "Enter a fact, such as device.", "Enter a part of the value."],
    ["FACT_IN", "Enter a fact, such as device.", "Enter a value, and press Enter."],
    ["FACT_MATCHES", "Enter a fact, such as device.", "Enter a regular expression, such as ^test-."],
    ["EVENT_IS", "Enter an event type, such as PURCHASE, and press Enter."],
    ["BADGE_EXISTS", "Enter a badge."],
    ["COUNTER_GT", "Enter a counter.", "Enter a number."],
  ]) {
    await kind.selectOption(type);
    await page.getByRole("button", { name: "Create" }).click();
    for (const message of messages) await condition.getByText(message, { exact: true }).waitFor();
    assert.equal(await condition.getByRole("alert").count(), messages.length, type);
    assert.equal(await condition.locator("[aria-invalid=true]").count(), messages.length, type);
  }
  assert.deepEqual(analyst.complaints, [], "nothing was sent");
  for (const [type, label, message] of [["SCORE_LT", "Threshold", "Enter a number from 0 to 100."], ["IDENTITY_AGE_GT", "How long", "Enter a length of time."], ["AGENT_IS", "Agent", "Enter an agent, such as ChatGPT-User, or ANY."]]) {
    await kind.selectOption(type);
    await condition.locator(`input[aria-label="${label}"]`).fill("");
    await page.getByRole("button", { name: "Create" }).click();
    await condition.getByText(message, { exact: true }).waitFor();
  }
  await kind.selectOption("COUNTER_GT");
  await field("Number").fill("3");
  await page.getByRole("button", { name: "Create" }).click();
  await condition.getByText("Enter a counter.", { exact: true }).waitFor();
  await kind.selectOption("IN_LIST");
  for (const [fact, fits] of [["email", ["Partners"]], ["ip", ["Offices"]], ["event.data.amount", ["Offices", "Partners"]]]) {
    await field("Fact").fill(fact);
    await page.keyboard.press("Escape");
    await field("List").click();
    await page.getByRole("option", { name: fits[0], exact: true }).waitFor();
    const offered = await page.getByRole("option").filter({ visible: true }).allInnerTexts();
    assert.deepEqual(offered, fits, fact);
    await page.keyboard.press("Escape");
  }
  await page.getByRole("button", { name: "Create" }).click();
  await condition.getByText("Enter a list.", { exact: true }).waitFor();
  analyst.complaints.splice(0);
});

test("a rule asks for an event, its facts and a counter, says so in words, and is tried on the past", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/escalation-rules/new");
  await page.getByRole("textbox", { name: "Name" }).fill("Large purchase");
  const condition = (name) => page.getByRole("group", { name, exact: true });
  const field = (name, label) => condition(name).getByLabel(label, { exact: true }).first();
  const kind = (name) => condition(name).getByLabel("Type of condition").first();
  await kind("Condition 1").selectOption("EVENT_IS");
  await field("Condition 1", "Events").fill("PURCHASE");
  await page.keyboard.press("Enter");
  await page.getByText(/Evaluated at each PURCHASE/).waitFor();

  await page.getByRole("button", { name: "Add a condition" }).click();
  await kind("Condition 2").selectOption("ANY");
  await kind("Condition 2.1").selectOption("FACT_GT");
  // Facts are found with values that events have had.
  await field("Condition 2.1", "Fact").fill("amount");
  await page.getByRole("option", { name: /event\.data\.amount/ }).click();
  await field("Condition 2.1", "Number").fill("500");
  await condition("Condition 2").getByRole("button", { name: "Add a condition" }).click();
  await kind("Condition 2.2").selectOption("COUNTER_GT");
  await field("Condition 2.2", "Counter").click();
  await page.getByRole("option", { name: "Spent in a day" }).click();
  await field("Condition 2.2", "Number").fill("900");
  await page.getByText(/the event's "amount" is above 500 or Spent in a day is above 900/).waitFor();
  const preview = page.getByRole("region", { name: "Matches now" });
  await preview.getByText("ada").waitFor();
  assert.equal(await preview.getByText("bob").count(), 0);
  assert.deepEqual(await analyst.barriers(), []);
  await pictures(page, "event-rules-editor");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("link", { name: "Large purchase" }).first().waitFor();

  // Each purchase is asked about, and what was spent before counts.
  const open = async (event) => (await dregs.call("POST", "/events?wait=10000", event)).decision.openEscalations.filter(({ rule }) => rule.label === "Large purchase").length;
  assert.equal(await open(buys("bob", 300, 2)), 0);
  assert.equal(await open(buys("bob", 400, 3)), 0);
  assert.equal(await open(buys("bob", 300, 4)), 1);
  assert.equal(await open(buys("kim", 501, 1)), 1);
  analyst.complaints.splice(0);
});

test("who decides sees what opened an escalation, and the event", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/escalations?identity=kim");
  const why = page.getByRole("region", { name: "Why" });
  await why.getByText("The event is PURCHASE; the event's \"amount\" is 501, above 500.").waitFor();
  await pictures(page, "escalation-opened-by-event");
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(await analyst.barriers(), []);
  await why.getByRole("link", { name: "See the event" }).click();
  await page.waitForURL(/\/events\/kim-1$/);
  analyst.complaints.splice(0);
});

test("a preview promises no more than opens: those whom people have settled are told apart", async () => {
  await dregs.call("POST", "/identities/ada/actions/label", { outcome: "GOOD" });
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/escalation-rules/new");
  const condition = (name) => page.getByRole("group", { name, exact: true });
  await condition("Condition 1").getByLabel("Type of condition").selectOption("EVENT_IS");
  await condition("Condition 1").getByLabel("Events", { exact: true }).first().fill("PURCHASE");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Add a condition" }).click();
  await condition("Condition 2").getByLabel("Type of condition").selectOption("FACT_GT");
  // What such events carry is offered first.
  const fact = condition("Condition 2").getByLabel("Fact", { exact: true }).first();
  await fact.click();
  await page.getByRole("option").filter({ visible: true }).first().getByText("event.data.amount", { exact: true }).waitFor();
  await fact.fill("event.data.amount");
  await page.keyboard.press("Escape");
  await condition("Condition 2").getByLabel("Number", { exact: true }).first().fill("400");
  const preview = page.getByRole("region", { name: "Matches now" });
  await preview.getByText("1 more matches, but is labeled good or disregarded: nothing opens for it.").waitFor();
  await preview.getByText("By the newest PURCHASE of each. A new or changed rule says nothing of what has been: each is evaluated at the next one.").waitFor();
  assert.equal(await preview.getByText("ada").count(), 0);
  // A field that no event carries is said in the same words.
  await fact.fill("event.data.refund.total");
  await page.getByText("Reads: ").getByText(/the event's "refund\.total" is above 400/).waitFor();
  await fact.fill("group.company");
  await page.getByText("Reads: ").getByText(/the company is above 400/).waitFor();
  analyst.complaints.splice(0);
});
