// The pages of docs/manual/tracking.md and of the dashboard's own snippets, in a real browser: as they
// stand there, but for the address and the key.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs } from "./support.js";

const PAGES = ["docs/manual/tracking.md"];

/** Serves one page, without a policy of its own. */
async function serve(html) {
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end(`<!doctype html><title>Shop</title>${html}`);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

/** Opens a page with a snippet, and gives back what the browser complains of once its events are here. */
async function visit(chrome, dregs, html, ...types) {
  const { server, url } = await serve(html);
  const [credential] = await dregs.call("GET", "/credentials", undefined, dregs.admin);
  await dregs.call("PATCH", `/credentials/${credential.id}`, { allowedOrigins: [url] }, dregs.admin);
  const context = await chrome.newContext();
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  const events = await dregs.saw(undefined, ...types);
  await context.close();
  server.close();
  assert.deepEqual(complaints, []);
  return events;
}

async function start() {
  const dregs = await Dregs.start(() => []);
  dregs.admin = (await dregs.call("POST", "/auth/login", ADMIN)).token;
  return dregs;
}

/** A server and a browser that end with the test, however it ends. */
async function ground(t) {
  const [dregs, chrome] = [await Dregs.start(() => []), await browser()];
  t.after(() => Promise.all([chrome.close(), dregs.stop()]));
  dregs.admin = (await dregs.call("POST", "/auth/login", ADMIN)).token;
  return [dregs, chrome];
}

for (const page of PAGES) test(`the page of ${page} sends what it says`, async (t) => {
  const [dregs, chrome] = await ground(t);
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  const [html, ...more] = [...text.matchAll(/```html\n(.*?)```/gs)].map(([, code]) => code);
  assert.deepEqual(more, [], "a second page that no test opens");
  const here = html.replace("https://dregs.example.com", dregs.url).replace(/pk_[0-9a-f]+…/, "pk_web");
  const events = await visit(chrome, dregs, here, "dregs_init", "dregs_identify", "purchase");
  assert.deepEqual(events.at(-1).eventData, { total: 12 });
  assert.equal((await dregs.call("GET", "/identities/user_1")).displayEmail, "ada@example.com");
});

test("what the dashboard gives to copy works as it stands there", async (t) => {
  const [dregs, chrome] = await ground(t);
  const analyst = await Analyst.arrive(chrome, dregs);
  // The page of a new installation: a command with the key or with the variable that holds it, and a page.
  const command = await analyst.page.getByLabel("command", { exact: true }).textContent();
  const env = { ...process.env, DREGS_SECRET_KEY: "sk_web" };
  execFileSync("bash", ["-c", command.replace("curl", "curl --fail")], { env, stdio: ["ignore", "ignore", "pipe"] });
  const examples = (await dregs.events()).map((event) => event.eventName);
  assert.equal(examples.length, 4);
  await analyst.open("/settings/credentials");
  const html = await analyst.page.getByLabel("snippet", { exact: true }).textContent();
  await visit(chrome, dregs, html, ...examples, "dregs_init", "dregs_identify", "purchase");
});
