// What the dashboard gives to copy beside the first event: each is run as it stands there.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Analyst } from "./analyst.js";
import { Receiver } from "./receiver.js";
import { browser, Dregs, eventually } from "./support.js";

const ROOT = new URL("../..", import.meta.url).pathname;
const PYTHON = join(ROOT, "target/python-clients/bin/python");
const BUILT = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug");
const HOSTILE = `O'Hara "$(touch pwned)" \`touch pwned\` \\ ü`;

const run = promisify(execFile);
let dregs, chrome, receiver, analyst, folder;

before(async () => {
  receiver = await Receiver.open();
  dregs = await Dregs.start(() => [], { DREGS_EGRESS_ALLOW: "127.0.0.0/8" });
  chrome = await browser();
  folder = mkdtempSync(join(tmpdir(), "dregs-copied-"));
  analyst = await Analyst.arrive(chrome, dregs, { permissions: ["clipboard-read", "clipboard-write"] });
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  receiver?.close();
  rmSync(folder, { recursive: true });
});

/** An environment with nothing of dregs but this, and the binary where a shell finds it. */
function environment(own = {}) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DREGS_")));
  return { ...env, PATH: BUILT + delimiter + env.PATH, ...own };
}

/** Runs a text in a shell; what it says. */
async function shell(text, own) {
  return (await run("sh", ["-c", text], { cwd: folder, env: environment(own) })).stdout;
}

/** The text that a button of this name copies. */
async function copied(within, name) {
  await within.getByRole("button", { name }).click();
  return analyst.page.evaluate(() => navigator.clipboard.readText());
}

test("the command to listen shows webhooks, and passes them on", async () => {
  await dregs.call("POST", "/events", { type: "user.signup", identity: { id: "first" } });
  await analyst.open("/");
  const command = await analyst.page.getByLabel("command to listen", { exact: true }).textContent();
  assert.equal(command, `dregs listen --server ${dregs.url}`);
  const forward = await analyst.page.getByText(/^--forward /).textContent();
  const application = await Receiver.open();
  // Port 4000 may be somebody else's on this machine.
  const text = `exec ${command} ${forward.replace(/http:\S+/, application.url)} --port 0`;
  const listening = spawn("sh", ["-c", text], { cwd: folder, env: environment({ DREGS_SECRET_KEY: "sk_web" }) });
  try {
    let said = "";
    for (const stream of [listening.stdout, listening.stderr]) stream.on("data", (data) => (said += data));
    await eventually("its channel", () => said.includes("Channel listen-"));
    await dregs.call("POST", "/events", { type: "user.signup", identity: { id: "listened" } });
    await eventually("a verified webhook", () => /IDENTITY_SCORED.*verified/.test(said)).catch((error) => assert.fail(`${error}: ${said}`));
    await eventually("what is passed on", () => application.taken.some(({ message }) => message.event === "IDENTITY_SCORED"));
  } finally {
    listening.kill("SIGINT");
    application.close();
  }
  await eventually("its channel to go", async () => !(await dregs.call("GET", "/channels")).some(({ name }) => name.startsWith("listen-")));
});

test("an attempt as curl is the same request once more", async () => {
  const headers = { "X-Tenant": "shop", "X-Empty": "" };
  const channel = await dregs.call("POST", "/channels", {
    type: "WEBHOOK", name: "Shop", events: ["identity.scored"], config: { url: `${receiver.url}?a=[1]&b={2,3}`, headers },
  });
  receiver.secret = channel.signingSecret;
  await dregs.call("POST", "/events", { type: "user.signup", identity: { id: HOSTILE, data: { name: HOSTILE } } });
  const delivery = await eventually("a delivery", async () => {
    const { content } = await dregs.call("GET", `/channels/${channel.id}/deliveries?status=DELIVERED`);
    return content[0];
  });
  const [sent] = receiver.taken;
  await analyst.open(`/deliveries/${delivery.id}`);
  const attempt = analyst.page.getByRole("region", { name: "Attempt 1" });
  if ((await attempt.locator("details").getAttribute("open")) === null) await attempt.locator("summary").click();
  const before = receiver.taken.length;
  await shell(`${await copied(attempt, "Copy as curl")} --fail --silent`);
  const [again] = receiver.taken.slice(before);
  assert.deepEqual(again, sent);
  assert.ok(again.isGenuine);
  await assert.rejects(run("ls", [join(folder, "pwned")]), "the shell has run what a user supplied");
});

/** As the published client of MCP connects: the person whose token this is. */
const CLIENT = `
import asyncio, json, sys
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

async def main(url, headers):
    async with Client(streamable_http_client(url, http_client=create_mcp_http_client(headers=headers))) as client:
        result = await client.call_tool("get_account_summary", {})
        print(json.dumps(result.structured_content["data"]["me"]))

asyncio.run(main(**json.load(sys.stdin)))
`;

/** Whose agent it is that connects there. */
async function agent(url, headers) {
  const running = run(PYTHON, ["-c", CLIENT], { env: environment() });
  running.child.stdin.end(JSON.stringify({ url, headers }));
  return JSON.parse((await running).stdout).email;
}

test("what is pasted for AI agents connects them", async () => {
  const { page } = analyst;
  await analyst.open("/settings/mcp-tokens");
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Assistant");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const command = await page.getByLabel("command for Claude Code", { exact: true }).textContent();
  const words = await shell(`claude() { for word in "$@"; do printf '%s\\n' "$word"; done; }\n${command}`);
  const [verb, add, flag, transport, name, url, option, header, ...more] = words.trim().split("\n");
  assert.deepEqual([verb, add, flag, transport, name, option, more], ["mcp", "add", "--transport", "http", "dregs", "--header", []]);
  const [field, value] = header.split(": ");
  assert.equal(await agent(url, { [field]: value }), "admin@example.com");
  const { mcpServers } = JSON.parse(await page.getByLabel("configuration for other clients", { exact: true }).textContent());
  assert.equal(await agent(mcpServers.dregs.url, mcpServers.dregs.headers), "admin@example.com");
  await page.getByRole("button", { name: "I have saved it" }).click();
});

test("the command of a new credential sends an event with its key", async () => {
  const { page } = analyst;
  await analyst.open("/settings/credentials");
  const placeholder = await page.getByLabel("command", { exact: true }).textContent();
  await page.getByRole("button", { name: "New credential" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Checkout");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const command = await page.getByLabel("command for your backend", { exact: true }).textContent();
  const key = /sk_[0-9a-f]{64}/.exec(command)[0];
  for (const text of [command, placeholder.replace("sk_…", key)]) {
    const before = (await dregs.events("user_1")).length;
    assert.match(await shell(text), /"status":"success"/);
    assert.equal((await dregs.events("user_1")).length, before + 1);
  }
  await page.getByRole("button", { name: "I have saved it" }).click();
});

/** How the code of each language says whether a body is genuine: with the body in a file, and a signature. */
const VERIFIERS = {
  Python: (code) => [PYTHON, "-c", `${code}\nimport sys\nprint(is_genuine(open("body.json", "rb").read(), sys.argv[1]))`],
  "Node.js": (code) => ["node", "--input-type=module", "-e", `${code}\nimport { readFileSync } from "node:fs";\nconsole.log(isGenuine(readFileSync("body.json"), process.argv[1]) ? "True" : "False")`],
  Shell: (code) => ["sh", "-c", `said=$(${code}\n); [ "\${said##* }" = "$1" ] && echo True || echo False`, "sh"],
};

test("the code that verifies a webhook tells a genuine one from another", async () => {
  const { page } = analyst;
  await analyst.open("/settings/channels");
  await page.getByRole("button", { name: "New channel" }).click();
  await page.getByLabel("Name", { exact: false }).fill("Verified");
  await page.getByLabel("URL").fill(receiver.url);
  await page.getByLabel("Identity scored").check();
  await page.getByRole("button", { name: "Create" }).click();
  const secret = await page.locator("[data-secret]").innerText();
  const languages = page.getByRole("radiogroup", { name: "Language" });
  assert.deepEqual(await languages.locator("label").allInnerTexts(), Object.keys(VERIFIERS));
  const codes = {};
  for (const language of Object.keys(VERIFIERS)) {
    await languages.getByText(language, { exact: true }).click();
    codes[language] = await page.getByLabel("code", { exact: true }).textContent();
  }
  await page.getByRole("button", { name: "I have saved it" }).click();
  const { id } = (await dregs.call("GET", "/channels")).find(({ name }) => name === "Verified");
  const { deliveryId } = await dregs.call("POST", `/channels/${id}/actions/test`);
  const { attempts: [{ requestBody, requestHeaders }] } = await dregs.call("GET", `/deliveries/${deliveryId}`);
  writeFileSync(join(folder, "body.json"), requestBody);
  const genuine = requestHeaders["x-dregs-signature"];
  for (const [language, code] of Object.entries(codes)) {
    for (const [signature, expected] of [[genuine, "True"], [genuine.replace(/^./, (digit) => (digit === "0" ? "1" : "0")), "False"]]) {
      const [program, ...args] = VERIFIERS[language](code);
      const { stdout } = await run(program, [...args, signature], { cwd: folder, env: environment({ DREGS_WEBHOOK_SECRET: secret }) });
      assert.equal(stdout.trim(), expected, `${language} ${expected}`);
    }
  }
});
