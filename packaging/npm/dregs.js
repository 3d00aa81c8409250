#!/usr/bin/env node
// Runs the binary of this platform, which a package of its own brings.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";

const PASSED_ON = ["SIGTERM", "SIGHUP"];
const EXIT_MISUSED = 2;
// What shells answer for a program that a signal has ended: 128 and its number.
const EXIT_SIGNAL = 128;

const name = `dregs-server-${process.platform}-${process.arch}`;

function binary() {
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/dregs`);
  } catch {
    console.error(
      `dregs: ${name} is not installed. Either there is no binary for this platform, or optional dependencies were ` +
        "left out: install again without --omit=optional.",
    );
    process.exit(EXIT_MISUSED);
  }
}

const child = spawn(binary(), process.argv.slice(2), { stdio: "inherit" });
for (const signal of PASSED_ON) {
  process.on(signal, () => child.kill(signal));
}
// A terminal sends this to both, and a second one would end the server at once.
process.on("SIGINT", () => {});
child.on("error", (error) => {
  console.error(`dregs: ${name} does not start: ${error.message}`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  process.exitCode = code ?? EXIT_SIGNAL + constants.signals[signal];
});
