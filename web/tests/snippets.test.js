// What the dashboard gives to copy for a backend, in each language: run as it stands there, with the key in it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Analyst } from "./analyst.js";
import { browser, Dregs } from "./support.js";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Of what cargo says of every package. */
const CARGO_SAYS_MAX_BYTES = 64 * 1_024 * 1_024;

const start = promisify(execFile);
let dregs, chrome, analyst, folder;

before(async () => {
  [dregs, chrome] = [await Dregs.start(() => []), await browser()];
  folder = mkdtempSync(join(tmpdir(), "dregs-snippets-"));
  analyst = await Analyst.arrive(chrome, dregs);
  await analyst.page.getByRole("button", { name: "Use a new key" }).click();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  rmSync(folder, { recursive: true });
});

/** Runs a program with nothing of dregs in its environment but this key. */
function run(program, args, secretKey) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DREGS_")));
  return start(program, args, { cwd: folder, env: { ...env, DREGS_SECRET_KEY: secretKey } });
}

/** The libraries that the workspace's own tests have been built with, by the names of their packages. */
async function libraries(...wanted) {
  const build = ["test", "--no-run", "--locked", "--workspace", "--quiet", "--message-format=json"];
  const { stdout } = await start("cargo", build, { cwd: ROOT, maxBuffer: CARGO_SAYS_MAX_BYTES });
  const built = stdout.trim().split("\n").map((line) => JSON.parse(line)).filter(({ reason }) => reason === "compiler-artifact");
  return wanted.map((name) => {
    const found = built.find(({ target, package_id }) => target.kind.includes("lib") && target.name === name && package_id.startsWith("registry+"));
    return [name, found.filenames.find((file) => file.endsWith(".rlib"))];
  });
}

/** How a file of each language is run. */
const PROGRAMS = {
  TypeScript: ["snippet.mjs", (file, key) => run("node", [file], key)],
  Python: ["snippet.py", (file, key) => run(join(ROOT, "target/python-clients/bin/python"), [file], key)],
  Rust: ["snippet.rs", async (file, key) => {
    const found = await libraries("dregs", "serde_json", "tokio");
    const externs = found.flatMap(([name, path]) => ["--extern", `${name}=${path}`]);
    await run("rustc", ["--edition=2024", "-L", `dependency=${dirname(found[0][1])}`, ...externs, "-o", "snippet", file], key);
    await run(join(folder, "snippet"), [], key);
  }],
};

for (const [language, [file, execute]] of Object.entries(PROGRAMS)) {
  test(`what the dashboard gives to copy for ${language} sends its event`, async () => {
    await analyst.page.getByRole("radiogroup", { name: "Language" }).getByText(language).click();
    const command = analyst.page.getByLabel("command", { exact: true });
    const text = await command.filter({ hasText: /DREGS_SECRET_KEY=sk_[0-9a-f]{64}/ }).textContent();
    const before = await dregs.events();
    writeFileSync(join(folder, file), text);
    await execute(file, /DREGS_SECRET_KEY=(\S+)/.exec(text)[1]);
    const [event, ...more] = (await dregs.events()).slice(before.length);
    assert.deepEqual(more, []);
    assert.deepEqual([event.eventName, event.identity.id, event.identity.label], ["user.signup", "user_1", "Ada Lovelace"]);
  });
}
