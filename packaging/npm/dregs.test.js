// The launcher passes on arguments, exit codes and signals, to a stand-in for the binary.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = mkdtempSync(join(tmpdir(), "dregs-npm-"));
after(() => rmSync(folder, { recursive: true }));
cpSync(join(dirname(fileURLToPath(import.meta.url)), "dregs.js"), join(folder, "dregs.mjs"));
const launcher = join(folder, "dregs.mjs");

function install(script) {
  const bin = join(folder, `node_modules/dregs-server-${process.platform}-${process.arch}/bin`);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "dregs"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

test("without the package of the platform it says what is missing", () => {
  const { status, stderr } = spawnSync(process.execPath, [launcher], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /^dregs: dregs-server-\S+ is not installed/);
});

test("arguments and the exit code are the binary's", () => {
  install('echo "$@"; exit 3');
  const { status, stdout } = spawnSync(process.execPath, [launcher, "serve", "--listen", "a b"], { encoding: "utf8" });
  assert.deepEqual([status, stdout], [3, "serve --listen a b\n"]);
});

test("SIGTERM reaches the binary, which ends in its own way", async () => {
  install("trap 'echo ended; exit 0' TERM\necho begun\nwhile :; do sleep 0.05; done");
  const running = spawn(process.execPath, [launcher]);
  let said = "";
  running.stdout.on("data", (chunk) => {
    said += chunk;
    if (said === "begun\n") running.kill("SIGTERM");
  });
  const [code] = await once(running, "close");
  assert.deepEqual([code, said], [0, "begun\nended\n"]);
});

test("a binary that a signal ends gives what a shell would", () => {
  install("kill -KILL $$");
  assert.equal(spawnSync(process.execPath, [launcher]).status, 128 + 9);
});
