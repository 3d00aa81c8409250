// Prints the bill of materials of what is bundled for browsers, in CycloneDX's format.
//
//   node web_bill.js VERSION
//
// npm makes it from the lock file; it wants versions of our own packages too, which have none, since nobody publishes them.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = join(dirname(fileURLToPath(import.meta.url)), "../../web");
const BUNDLED = ["api", "dashboard", "tracker"];

const version = process.argv[2];
// npm names it after its folder.
const outer = mkdtempSync(join(tmpdir(), "dregs-"));
const folder = join(outer, "dregs-web");
const read = (path) => JSON.parse(readFileSync(join(WEB, path), "utf8"));
const write = (path, value) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(value));
};

try {
  const lock = read("package-lock.json");
  for (const workspace of ["", ...read("package.json").workspaces]) {
    write(join(workspace, "package.json"), { ...read(join(workspace, "package.json")), version });
    lock.packages[workspace].version = version;
  }
  write("package-lock.json", lock);
  const workspaces = BUNDLED.map((name) => `--workspace=${name}`);
  const options = ["--package-lock-only", "--omit=dev", "--sbom-format=cyclonedx", ...workspaces];
  process.stdout.write(execFileSync("npm", ["sbom", ...options], { cwd: folder, maxBuffer: 64 * 1024 * 1024 }));
} finally {
  rmSync(outer, { recursive: true });
}
