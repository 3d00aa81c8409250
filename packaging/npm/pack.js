// Makes the npm packages from a binary.
//
//   node pack.js platform OUT VERSION PLATFORM ARCH BINARY   dregs-server-PLATFORM-ARCH, which has the binary
//   node pack.js main OUT VERSION                            dregs-server, which runs it; after those of all platforms
//
// The main package depends on every package of a platform that is in OUT: npm installs the one whose platform it is.

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../..");
const EXECUTABLE = 0o755;

const [kind, out, version, ...rest] = process.argv.slice(2);
const main = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));

/** Packs what `fill` puts into a folder. */
function pack(manifest, fill) {
  const folder = mkdtempSync(join(tmpdir(), "dregs-npm-"));
  try {
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    cpSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
    cpSync(join(HERE, "../README.md"), join(folder, "README.md"));
    fill(folder);
    execFileSync("npm", ["pack", "--silent", "--pack-destination", resolve(out)], { cwd: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function platform(os, cpu, binary) {
  const { description, license } = main;
  const name = `${main.name}-${os}-${cpu}`;
  // Debian's C library is the one that it is linked with.
  const libc = os === "linux" ? { libc: ["glibc"] } : {};
  const manifest = { name, version, description, license, os: [os], cpu: [cpu], ...libc, files: ["bin"] };
  pack(manifest, (folder) => {
    mkdirSync(join(folder, "bin"));
    cpSync(binary, join(folder, "bin/dregs"));
    chmodSync(join(folder, "bin/dregs"), EXECUTABLE);
  });
}

function launcher() {
  const start = `${main.name}-`;
  const end = `-${version}.tgz`;
  // Its own file is named so as well, where it was made before.
  const own = `${main.name}${end}`;
  const packed = readdirSync(out).filter((file) => file.startsWith(start) && file.endsWith(end) && file !== own);
  const platforms = packed.map((file) => file.slice(0, -end.length)).sort();
  const optionalDependencies = Object.fromEntries(platforms.map((name) => [name, version]));
  pack({ ...main, version, optionalDependencies }, (folder) => {
    cpSync(join(HERE, "dregs.js"), join(folder, "dregs.js"));
    chmodSync(join(folder, "dregs.js"), EXECUTABLE);
  });
}

if (kind === "platform" && rest.length === 3) platform(...rest);
else if (kind === "main" && rest.length === 0) launcher();
else {
  console.error("pack.js: platform OUT VERSION PLATFORM ARCH BINARY, or main OUT VERSION");
  process.exitCode = 2;
}
