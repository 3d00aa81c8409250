// What suites start ends with them, however they end.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "./support.js";

const SUITE = `
  import { Dregs } from "./support.js";
  const dregs = await Dregs.start(() => []);
  console.log(JSON.stringify({ pid: dregs.process.pid, folder: dregs.folder }));
  setInterval(() => {}, 1000);
`;

function isThere(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"]) {
  test(`a server ends with its suite that ${signal} ends`, async () => {
    const options = { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] };
    const suite = spawn(process.execPath, ["--input-type=module", "--eval", SUITE], options);
    const [line] = await once(suite.stdout, "data");
    const { pid, folder } = JSON.parse(line);
    assert.ok(isThere(pid));
    suite.kill(signal);
    await eventually("the server to end", () => !isThere(pid));
    rmSync(folder, { recursive: true });
  });
}
