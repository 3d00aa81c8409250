// Every page of the dashboard: it works, everybody can use it, and what users supply is text and nothing else.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually, PROGRAM } from "./support.js";
import { britishWords, houseWords } from "./words.js";

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
  const listed = await dregs.call("POST", "/lists", { name: HOSTILE, type: "TEXT", description: HOSTILE });
  // Only a table may have ends that have passed.
  const quoted = `"${HOSTILE.replaceAll('"', '""')}"`;
  await dregs.call("POST", `/lists/${listed.id}/import`, { csv: `${quoted},${quoted},2026-01-01T00:00:00Z\n` });
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
  const { content: [badgeRule] } = await dregs.call("GET", "/badge-rules");
  return { rule: rule.id, badgeRule: badgeRule.id, channel: channel.id, delivery: delivery.id, event: first.id, list: listed.id };
}

const segment = encodeURIComponent;
/** What stands for the parameters of a page; a page with several of one kind is looked at with each. */
const PARAMETERS = {
  "/identities/$id": () => [[segment(HOSTILE_ID)], [`${segment(HOSTILE_ID)}?tab=links`]],
  "/events/$id": () => [[ids.event]],
  "/devices/$fingerprint": () => [["0123456789abcdef0123456789abcdef"]],
  "/groups/$type/$id": () => [["organization", segment(HOSTILE_ID)]],
  "/badge-rules/$id": () => [["new"], [ids.badgeRule]],
  "/escalation-rules/$id": () => [["new"], [ids.rule]],
  "/analyzers/$id": () => [["behavior.pace"]],
  "/deliveries/$id": () => [[ids.delivery]],
  "/settings/channels/$id": () => [[ids.channel]],
  "/settings/lists/$id": () => [[ids.list]],
};
/** A list in one of its views, of a page that is another one then. */
const VIEWS = ["/settings/datasets?dataset=disposable-email-domains", "/settings/mappings?view=all"];
/** For whoever is not signed in, or asked by another program: looked at elsewhere. */
const OUTSIDE = ["/sign-in", "/sign-in/oidc", "/second-factor", "/accept-invitation", "/oauth/authorize"];

/** The pages that the router knows, as it spells them: neither those that lead elsewhere nor the one for what is not there. */
function pagesOfRouter() {
  const source = readFileSync(new URL("../dashboard/src/app/router.tsx", import.meta.url), "utf8");
  const routes = [...source.matchAll(/createRoute\(\{ \.\.\.(outside|inside|setting), path: "([^"]+)", (.*?)\}\),\n/g)];
  assert.equal(routes.length, source.match(/path: "/g).length - 1, "a route that this does not read; the one of all settings is a frame");
  const pages = routes.filter(([, , path, rest]) => path !== "$" && rest.includes("lazyPage("));
  return pages.map(([, place, path]) => (place === "setting" ? `/settings${path}` : path));
}

function PATHS() {
  const inside = pagesOfRouter().filter((path) => !OUTSIDE.includes(path));
  const filled = (path) => {
    if (!path.includes("$")) return [path];
    assert.ok(PARAMETERS[path], `${path} is looked at by no test: say in PARAMETERS with what`);
    return PARAMETERS[path]().map((values) => values.reduce((text, value) => text.replace(/\$[a-z]+/i, () => value), path));
  };
  return [...inside.flatMap(filled), ...VIEWS];
}

test("every page of the router is looked at", () => {
  const pages = pagesOfRouter();
  assert.ok(pages.length > 25, `${pages}`);
  for (const path of [...OUTSIDE, ...Object.keys(PARAMETERS)]) assert.ok(pages.includes(path), `${path} is no page any more`);
  for (const path of ["/settings/retention", "/settings/weights", "/escalation-rules/new"]) assert.ok(PATHS().includes(path), path);
});

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
      for (const text of await analyst.cut()) found.push(`${path} cuts “${text}”`);
      if (options.viewport) for (const cell of [...new Set(await analyst.squeezed())]) found.push(`${path} leaves ${cell}`);
      for (const text of await analyst.smallChips()) found.push(`${path} has the chip “${text}”`);
      const said = await analyst.page.locator("body").innerText();
      for (const words of [...houseWords(said), ...britishWords(said)]) found.push(`${path} says “${words}”`);
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
  for (const wrong of ["wrong", "wrong again"]) {
    await page.locator("input[type=password]").fill(wrong);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await page.getByText("password", { exact: false }).first().waitFor();
  }
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

test("a server that is away is told of, what is old is marked, and a page that was not loaded comes by itself", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  await analyst.open("/identities");
  await page.locator("nav .live[data-state=live]").waitFor();
  await dregs.kill();
  const banner = page.getByRole("alert").filter({ hasText: "The server cannot be reached" });
  await banner.waitFor();
  await page.locator("h1 ~ .chip", { hasText: "as of" }).waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  // What is loaded stays, and what is not says so in its place, in the dashboard's own frame.
  assert.ok((await page.locator("tbody tr").count()) > 0);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByText("This page is not loaded yet").waitFor();
  assert.deepEqual(await analyst.barriers(), []);
  await page.getByRole("link", { name: "Identities" }).click();
  await page.locator("tbody tr").first().waitFor();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByText("This page is not loaded yet").waitFor();
  dregs.launch();
  await dregs.ready();
  await page.getByRole("heading", { name: "Channels" }).waitFor();
  await banner.waitFor({ state: "detached" });
  assert.equal(await page.locator("h1 ~ .chip", { hasText: "as of" }).count(), 0);
  await analyst.context.close();
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

test("a new installation teaches, shows its first event, and says what comes next", async () => {
  const empty = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8" });
  let listening;
  try {
    const analyst = await Analyst.arrive(chrome, empty);
    const { page } = analyst;
    await page.getByText("Waiting for your first event").waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    for (const path of EMPTY) {
      await analyst.open(path);
      assert.deepEqual(await analyst.barriers(), [], path);
    }
    await analyst.open("/");
    // Each language has the key that is made here, or the public one.
    await page.getByRole("button", { name: "Use a new key" }).click();
    const command = page.getByLabel("command", { exact: true });
    await command.filter({ hasText: /Bearer sk_[0-9a-f]{64}"/ }).waitFor();
    const key = /sk_[0-9a-f]{64}/.exec(await command.innerText())[0];
    for (const language of ["TypeScript", "Python", "Rust"]) {
      await page.getByRole("radiogroup", { name: "Language" }).getByText(language).click();
      await command.filter({ hasText: key }).waitFor();
      assert.ok((await command.innerText()).includes(`${empty.url}/api`), language);
    }
    await page.getByRole("radiogroup", { name: "Language" }).getByText("Browser").click();
    await page.getByLabel("snippet", { exact: true }).filter({ hasText: "pk_web" }).waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    // The command works as it stands, and its scores say something of everybody in it.
    await page.getByRole("radiogroup", { name: "Language" }).getByText("curl").click();
    const listen = await page.getByLabel("command to listen", { exact: true }).innerText();
    listening = spawn("sh", ["-c", `${listen.replace("dregs listen", `exec "${PROGRAM}" listen --port 0`)}`], { stdio: ["ignore", "pipe", "inherit"] });
    let received = "";
    listening.stdout.on("data", (part) => { received += part; });
    await eventually("the receiver", async () => received.includes("Listening on "));
    execFileSync("sh", ["-c", await command.innerText()], { stdio: "ignore" });
    await page.getByText("Your first event is here").waitFor();
    await eventually("a verified webhook", async () => /identity\.scored|IDENTITY_SCORED/.test(received) && received.includes("verified"));
    const left = new Promise((resolve) => listening.once("exit", resolve));
    listening.kill("SIGINT");
    await left;
    const row = (name) => page.locator("tbody tr", { hasText: name });
    const scored = async (name) => {
      const chips = await row(name).locator(".chip[data-kind=score]").allInnerTexts();
      return chips.map((text) => Number.parseInt(text, 10)).filter(Number.isFinite);
    };
    await eventually("scores of the script", async () => (await scored("example_bot_1")).length === 4);
    const [ada, bot] = [await scored("example_ada"), await scored("example_bot_1")];
    assert.ok(ada.length >= 3 && Math.min(...ada) >= 70 && Math.min(...bot) < 20, `${ada} ${bot}`);
    // The key is still there after a look around, and so is what comes next.
    await page.getByRole("link", { name: "Rules", exact: true }).first().click();
    await page.waitForURL(`${empty.url}/rules`);
    await page.getByRole("link", { name: "Home" }).click();
    await command.filter({ hasText: key }).waitFor();
    await page.getByText(`dregs listen --server ${empty.url}`).waitFor();
    assert.deepEqual(await analyst.barriers(), []);
    await page.getByRole("button", { name: "Go to the dashboard" }).click();
    await page.locator("[data-figure=events]", { hasText: /^4$/ }).waitFor();
    await page.getByRole("region", { name: "What comes next" }).getByText("See devices").waitFor();
    await page.getByRole("button", { name: "Hide" }).click();
    await page.getByRole("region", { name: "What comes next" }).waitFor({ state: "detached" });
    await analyst.leave();
  } finally {
    listening?.kill("SIGINT");
    await empty.stop();
  }
});
