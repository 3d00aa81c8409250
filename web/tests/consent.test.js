// An AI agent's client signs in by OAuth: the dance as a browser does it.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";
import { houseWords } from "./words.js";

let dregs, chrome, program;

/** What anybody may call a client: it is text, and turns nothing round. */
const NAME = "Desk <img src=x onerror=alert(1)> \u202Etnega";
const SHOWN = "Desk <img src=x onerror=alert(1)> [U+202E]tnega";

/** A program on the person's machine that waits for the browser to come back; and a page of another site. */
class Program {
  static async listen() {
    const program = new Program();
    program.came = [];
    program.server = createServer((request, response) => {
      const url = new URL(request.url, program.url);
      if (url.pathname === "/callback") program.came.push(Object.fromEntries(url.searchParams));
      response.writeHead(200, { "Content-Type": "text/html" });
      response.end(url.pathname === "/evil" ? program.page : "<!doctype html><title>Desk</title><h1>Back in Desk</h1>");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => program.server.once("listening", resolve));
    program.url = `http://127.0.0.1:${program.server.address().port}`;
    return program;
  }

  /** Registers, and gives the address at which the person is asked: for itself, or for an app with a scheme of its own. */
  async begin(name = NAME, app) {
    const metadata = { client_name: name, redirect_uris: [app ?? "http://127.0.0.1/callback"] };
    const answer = await fetch(`${dregs.url}/oauth/register`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(metadata) });
    assert.equal(answer.status, 201);
    this.client = (await answer.json()).client_id;
    this.verifier = randomBytes(32).toString("base64url");
    this.params = new URLSearchParams({
      response_type: "code", client_id: this.client, redirect_uri: app ?? `${this.url}/callback`, state: "a b&c", resource: `${dregs.url}/mcp`, scope: "mcp",
      code_challenge: createHash("sha256").update(this.verifier).digest("base64url"), code_challenge_method: "S256",
    });
    return `/oauth/authorize?${this.params}`;
  }

  /** An access token for the code with which the browser came. */
  async redeem({ code }) {
    const form = { grant_type: "authorization_code", client_id: this.client, code, code_verifier: this.verifier, redirect_uri: `${this.url}/callback` };
    const answer = await fetch(`${dregs.url}/oauth/token`, { method: "POST", body: new URLSearchParams(form) });
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()).access_token;
  }

  /** The status of a message to the MCP server. */
  async ask(token) {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
    return (await fetch(`${dregs.url}/mcp`, { method: "POST", headers, body })).status;
  }
}

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
  program = await Program.listen();
});

after(async () => {
  program?.server.close();
  await chrome?.close();
  await dregs?.stop();
});

async function connections() {
  const { token } = await dregs.call("POST", "/auth/login", ADMIN);
  return dregs.call("GET", "/oauth/connections", undefined, token);
}

test("a person who is not signed in signs in, approves the client, and disconnects it", async () => {
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.goto(dregs.url + (await program.begin()));
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.locator("input[type=password]").fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `Connect ${SHOWN}?` }).waitFor();
  const text = await page.locator("main").innerText();
  for (const said of [`signed in as ${ADMIN.email}`, "with the role Admin", "change rules, mappings and datasets", "a program on this computer", `${program.url}/callback`]) {
    assert.ok(text.includes(said), `${said} is not in: ${text}`);
  }
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("heading", { name: "Back in Desk" }).waitFor();
  const came = program.came.pop();
  assert.deepEqual([came.state, came.iss], ["a b&c", dregs.url]);
  const token = await program.redeem(came);
  assert.equal(await program.ask(token), 200);

  await page.goto(`${dregs.url}/settings/mcp-tokens`);
  const row = page.getByRole("group", { name: "Your connected clients" }).locator("tbody tr", { hasText: SHOWN });
  await row.waitFor();
  await row.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await page.getByText("No connected clients").waitFor();
  assert.equal(await program.ask(token), 401);
  await context.close();
});

for (const [name, options] of [
  ["at a desk", {}],
  ["in the dark, on a phone", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
]) {
  test(`the page of consent can be used by everybody, ${name}`, async () => {
    const analyst = await Analyst.arrive(chrome, dregs, options);
    const asks = await program.begin(`${NAME} ${"long".repeat(10)}`);
    const app = await program.begin(NAME, "com.example.app:/callback");
    const wrong = asks.replace("S256", "plain");
    const unknown = asks.replace(/client_id=[^&]+/, "client_id=oc_unknown");
    const found = [];
    for (const [path, shown] of [[asks, "It will be able to"], [app, "the app on this device that opens links of com.example.app: com.example.app:/callback"], [wrong, "This request cannot be approved"], [unknown, "no client that is registered here"]]) {
      await analyst.open(path);
      await analyst.page.getByText(shown).waitFor();
      // The refusal is an answer of the API, which the browser notes.
      if (path === unknown) analyst.complaints = analyst.complaints.filter((text) => !text.includes("status of 400"));
      for (const barrier of await analyst.barriers()) found.push(`${shown}: ${barrier}`);
      const overflow = await analyst.overflow();
      if (overflow > 0) found.push(`${shown}: ${overflow} px wider than the window`);
      for (const text of await analyst.cut()) found.push(`${shown}: cuts “${text}”`);
      for (const words of houseWords(await analyst.page.locator("body").innerText())) found.push(`${shown}: says “${words}”`);
    }
    assert.deepEqual(found, []);
    await analyst.leave();
  });
}

test("who refuses, or cannot be asked, tells the client so, and nobody else", async () => {
  const { page, context } = await Analyst.arrive(chrome, dregs);
  const asks = await program.begin();
  await page.goto(dregs.url + asks);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Back in Desk" }).waitFor();
  const { error, state } = program.came.pop();
  assert.deepEqual([error, state], ["access_denied", "a b&c"]);

  await page.goto(dregs.url + asks.replace("S256", "plain"));
  await page.getByRole("alert").getByText("PKCE is needed").waitFor();
  assert.equal(await page.getByRole("button", { name: "Connect", exact: true }).count(), 0);
  await page.getByRole("button", { name: "Return to the client" }).click();
  await page.getByRole("heading", { name: "Back in Desk" }).waitFor();
  assert.equal(program.came.pop().error, "invalid_request");

  // An address that is not the client's is gone to by nobody.
  await page.goto(dregs.url + asks.replace(encodeURIComponent("/callback"), encodeURIComponent("/other")));
  await page.getByRole("alert").getByText("none that the client has registered").waitFor();
  assert.equal(await page.getByRole("button").count(), 0, "there is nothing to approve or to return to");
  assert.deepEqual([program.came, await connections()], [[], []]);
  await context.close();
});

test("a page of another site puts no frame around it, and its forms approve nothing", async () => {
  const { page, context } = await Analyst.arrive(chrome, dregs);
  const asks = await program.begin();
  const fields = [...program.params].map(([name, value]) => `<input name="${name}" value="${value.replaceAll("&", "&amp;")}">`).join("");
  program.page = `<!doctype html><title>Evil</title><iframe src="${dregs.url}${asks}"></iframe>
    <form method="post" action="${dregs.url}/api/oauth/request/actions/approve" enctype="text/plain">${fields}</form>`;
  // Another host, so that to the browser it is another site.
  await page.goto(`${program.url.replace("127.0.0.1", "localhost")}/evil`);
  const frame = page.frames()[1];
  await eventually("the frame", async () => frame.url() !== "" && frame.url() !== "about:blank");
  // The browser's own page stands in the frame.
  assert.equal(frame.url(), "chrome-error://chromewebdata/");
  const posted = page.waitForResponse((answer) => answer.url().endsWith("/approve"));
  await page.evaluate(() => document.forms[0].submit());
  assert.ok([401, 403].includes((await posted).status()), `${(await posted).status()}`);
  assert.deepEqual([program.came, await connections()], [[], []]);
  await context.close();
});
