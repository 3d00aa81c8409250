// Every page of the dashboard: it works, everybody can use it, and what users supply is text and nothing else.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";
import { houseWords } from "./words.js";

/** Somebody who tries to get into the page of those who look at them. */
const HOSTILE = `<img src=x onerror="window.pwned=1">'"\`javascript:alert(1)`;
const HOSTILE_ID = `a/b%<script>window.pwned=1</script>@evil.test`;
/** What may be sent of scripts until the first page is there, in bytes. */
const FIRST_PAGE_SCRIPTS_MAX = 250 * 1_024;

let dregs, chrome, ids;

before(async () => {
  dregs = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8", DREGS_RETRY_SCHEDULE: "1" });
  chrome = await browser();
  ids = await fill();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

/** A store in which no list is empty. */
async function fill() {
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  const rule = await dregs.call("POST", "/escalation-rules", {
    name: HOSTILE, severity: "CRITICAL", conditions: [{ type: "SCORE_LT", category: "ANY", threshold: 60 }],
  });
  const channel = await dregs.call("POST", "/channels", {
    type: "WEBHOOK", name: HOSTILE, events: ["identity.scored"], config: { url: "http://127.0.0.1:9/hook" },
  });
  const event = (id, name) => ({
    type: "user.signup",
    source: HOSTILE,
    session: "one-session",
    identity: { id, data: { name, email: "qwrtzpl@yopmail.com", note: HOSTILE } },
    groups: [{ type: "organization", id: HOSTILE_ID, data: { name: HOSTILE } }],
    device: { fingerprint: "0123456789abcdef0123456789abcdef" },
    data: { html: HOSTILE, nested: { list: [1, HOSTILE] } },
    url: "https://shop.test/sign-up",
    ip: "203.0.113.7",
    userAgent: `python-requests/2.32 ${HOSTILE}`,
  });
  await dregs.call("POST", "/events/batch", [event(HOSTILE_ID, HOSTILE), event("ring-2", "Ada Lovelace"), event("ring-3", "Ada Lovelace")]);
  await dregs.score("ring-3", "HUMANITY");
  const list = async (path) => eventually(path, async () => (await dregs.call("GET", path, undefined, token)).content[0]);
  const delivery = await list(`/channels/${channel.id}/deliveries`);
  await list("/escalations");
  const [first] = await dregs.events();
  return { rule: rule.id, channel: channel.id, delivery: delivery.id, event: first.id };
}

const segment = encodeURIComponent;
const PATHS = () => [
  "/", "/identities", `/identities/${segment(HOSTILE_ID)}`, `/identities/${segment(HOSTILE_ID)}?tab=links`, "/events", `/events/${ids.event}`, "/devices",
  "/devices/0123456789abcdef0123456789abcdef", "/groups", `/groups/organization/${segment(HOSTILE_ID)}`, "/escalations", "/rules",
  "/badge-rules/new", `/escalation-rules/${ids.rule}`, "/settings/channels", `/settings/channels/${ids.channel}`, `/deliveries/${ids.delivery}`,
  "/settings/credentials", "/settings/team", "/settings/account", "/settings/datasets", "/settings/mappings", "/settings/mcp-tokens",
  "/settings/usage", "/settings/audit-log", "/settings/system",
];

for (const [name, options] of [
  ["at a desk", {}],
  ["in the dark, on a phone", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
]) {
  test(`every page works and can be used by everybody, ${name}`, async () => {
    const analyst = await Analyst.arrive(chrome, dregs, options);
    const found = [];
    for (const path of PATHS()) {
      await analyst.open(path);
      for (const barrier of await analyst.barriers()) found.push(`${path} ${barrier}`);
      const overflow = await analyst.overflow();
      if (overflow > 0) found.push(`${path} is ${overflow} px wider than the window`);
      for (const words of houseWords(await analyst.page.locator("body").innerText())) found.push(`${path} says “${words}”`);
      for (const complaint of analyst.complaints.splice(0)) found.push(`${path} complains: ${complaint}`);
      assert.equal(await analyst.page.evaluate(() => window.pwned), undefined, path);
    }
    assert.deepEqual(found, []);
    await analyst.leave();
  });
}

test("the API is described in words of the trade", () => {
  const found = [];
  const look = (value) => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (["description", "summary"].includes(key) && typeof inner === "string") found.push(...houseWords(inner));
      else look(inner);
    }
  };
  look(JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8")));
  assert.deepEqual(found, []);
});

test("the sign-in form says what is wrong, and leads back to where one was going", async () => {
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.goto(`${dregs.url}/identities?term=ada`);
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.locator("input[type=password]").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.locator("input[type=password]").fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${dregs.url}/identities?term=ada`);
  await context.close();
});

test("whoever's session has ended signs in again, and is back where they were", async () => {
  const { page, context } = await Analyst.arrive(chrome, dregs);
  await context.clearCookies();
  await page.getByRole("link", { name: "Devices" }).click();
  await page.waitForURL(/\/sign-in\?to=%2Fdevices/);
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.locator("input[type=password]").fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${dregs.url}/devices`);
  await context.close();
});

test("updates go on by themselves after the server was away", async () => {
  const { page, context } = await Analyst.arrive(chrome, dregs);
  const isLive = (state) => page.locator(`nav .live[data-state=${state}]`).waitFor();
  await isLive("live");
  await dregs.kill();
  await isLive("connecting");
  dregs.launch();
  await dregs.ready();
  await isLive("live");
  const figure = page.locator("[data-figure=events]");
  const before = Number(await figure.innerText());
  await dregs.call("POST", "/events", { type: "user.login", identity: { id: "ring-2" } });
  await figure.filter({ hasText: new RegExp(`^${before + 1}$`) }).waitFor();
  await context.close();
});

test("the first page needs few scripts", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  await analyst.open("/");
  const bytes = await analyst.page.evaluate(() =>
    performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js")).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  );
  console.log(`scripts of the first page: ${bytes} bytes gzipped`);
  assert.ok(bytes > 50_000 && bytes <= FIRST_PAGE_SCRIPTS_MAX, `${bytes}`);
  await analyst.leave();
});

/** Pages that say what would be there. */
const EMPTY = ["/identities", "/escalations", "/events", "/devices", "/groups", "/settings/channels", "/settings/mappings", "/settings/mcp-tokens"];

test("a new installation teaches, waits for its first event, and goes on by itself when it arrives", async () => {
  const empty = await Dregs.start(() => []);
  try {
    const analyst = await Analyst.arrive(chrome, empty);
    await analyst.page.getByText("Waiting for your first event").waitFor();
    await analyst.page.getByText("pk_web").waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    for (const path of EMPTY) {
      await analyst.open(path);
      assert.deepEqual(await analyst.barriers(), [], path);
    }
    await analyst.open("/");
    // The command has a real key in it, and works as it stands.
    await analyst.page.getByRole("button", { name: "Use a new key" }).click();
    const command = analyst.page.getByLabel("command", { exact: true });
    await command.filter({ hasText: /Bearer sk_[0-9a-f]{64}"/ }).waitFor();
    execFileSync("sh", ["-c", await command.innerText()], { stdio: "ignore" });
    await analyst.page.locator("[data-figure=events]", { hasText: /^1$/ }).waitFor();
    await analyst.leave();
  } finally {
    await empty.stop();
  }
});
