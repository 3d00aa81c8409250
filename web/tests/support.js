// A real server, a page on another origin with a strict policy, and real browsers.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ROOT = new URL("../..", import.meta.url).pathname;
const SECRET_KEY = "sk_web";
const PUBLIC_KEY = "pk_web";
export const ADMIN = { email: "admin@example.com", password: "correct horse battery staple" };
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Of util-linux: has the kernel end a program with whoever started it. */
const LEASH = spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0 ? ["setpriv", "--pdeathsig", "KILL"] : [];
const started = new Set();

process.on("exit", () => {
  for (const child of started) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
// A runner that is killed tells nobody.
const runner = process.ppid;
setInterval(() => process.ppid !== runner && process.exit(1), 500).unref();

/** Starts a program that does not outlive the suite, however that ends. */
function start(program, args, options) {
  const [first, ...rest] = [...LEASH, program, ...args];
  const child = spawn(first, rest, options);
  started.add(child);
  child.once("exit", () => started.delete(child));
  return child;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** How long anything is waited for; a machine that does much else needs longer. */
export const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 20_000);

/** Asks until there is an answer. */
export async function eventually(what, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A running `dregs`, and what tests ask of it. */
/** The binary that is tried. */
export const PROGRAM = process.env.SERVER ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/dregs");

export class Dregs {
  /** `settings` are further variables of the server's environment. */
  static async start(origins, settings = {}) {
    const dregs = new Dregs();
    dregs.settings = settings;
    dregs.port = await freePort();
    dregs.folder = mkdtempSync(join(tmpdir(), "dregs-web-"));
    dregs.url = `http://127.0.0.1:${dregs.port}`;
    dregs.launch();
    await dregs.ready();
    const { token } = await dregs.call("POST", "/auth/login", ADMIN);
    const [credential] = await dregs.call("GET", "/credentials", undefined, token);
    await dregs.call("PATCH", `/credentials/${credential.id}`, { allowedOrigins: origins(dregs) }, token);
    return dregs;
  }

  launch() {
    const env = {
      ...process.env,
      DREGS_ADMIN_EMAIL: ADMIN.email,
      DREGS_ADMIN_PASSWORD: ADMIN.password,
      DREGS_PUBLIC_KEY: PUBLIC_KEY,
      DREGS_SECRET_KEY: SECRET_KEY,
      DREGS_LISTEN: `127.0.0.1:${this.port}`,
      DREGS_DATA_DIR: this.folder,
      DREGS_MIN_CYCLE_MS: "0",
      DREGS_ADDRESS_RATE_PER_SECOND: "0",
      DREGS_LOG: "warn",
      ...this.settings,
    };
    this.process = start(PROGRAM, ["serve"], { env, stdio: ["ignore", "ignore", "inherit"] });
  }

  async ready() {
    await eventually("the server", () => fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false));
  }

  async kill() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }

  async stop() {
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }

  async call(method, path, body, token = SECRET_KEY) {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const answer = await fetch(`${this.url}/api${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** The events of an identity, or all there are, oldest first. */
  async events(identity) {
    const filter = identity ? `&identity=${encodeURIComponent(identity)}` : "";
    const { content } = await this.call("GET", `/events?pageSize=100${filter}`);
    return content.reverse();
  }

  /** Waits until an identity has events of these types, in this order. */
  async saw(identity, ...types) {
    return eventually(`${types} of ${identity}`, async () => {
      const events = await this.events(identity);
      return events.length >= types.length && String(events.map((event) => event.eventName)) === String(types) && events;
    });
  }

  /** Waits until an identity has a score in a category. */
  async score(identity, category) {
    const found = await eventually(`a score of ${identity}`, async () => {
      const scores = await this.call("GET", `/identities/${identity}/scores`).catch(() => []);
      return scores.find((score) => score.category === category);
    });
    return found.value;
  }

  /** The analysis of an identity once so many of its events are scored. */
  async analysis(identity, eventCount) {
    return eventually(`the analysis of ${identity}`, async () => {
      const newest = await this.call("GET", `/identities/${identity}/analysis`).catch(() => undefined);
      return newest?.eventCount >= eventCount && newest;
    });
  }

  /** What an analyzer says of an identity once so many of its events are scored; undefined if nothing. */
  async observation(identity, analyzer, eventCount) {
    const { scores } = await this.analysis(identity, eventCount);
    return scores.flatMap((score) => score.observations).find(({ id }) => id === analyzer);
  }
}

/** A page of a shop whose policy allows what the script needs, and nothing else. */
export class Shop {
  static async open() {
    const shop = new Shop();
    shop.server = createServer((request, response) => shop.answer(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => shop.server.once("listening", resolve));
    shop.url = `http://127.0.0.1:${shop.server.address().port}`;
    return shop;
  }

  answer(request, response) {
    const path = new URL(request.url, this.url).pathname;
    if (path === "/page.js") {
      response.writeHead(200, { "Content-Type": "text/javascript" });
      response.end(`window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }; ${this.commands}`);
      return;
    }
    const policy = `default-src 'none'; script-src 'self' ${this.dregs.url}; connect-src ${this.dregs.url}`;
    response.writeHead(200, { "Content-Type": "text/html", "Content-Security-Policy": policy });
    response.end(
      `<!doctype html><title>Shop</title><h1>Shop</h1><input id="name"><button id="buy">Buy</button>` +
        `<script src="/page.js"></script><script async src="${this.dregs.url}/dregs.js"></script>`,
    );
  }

  /** What the page asks for; `more` comes after init. */
  says(more = "", options = "") {
    this.commands = `dregs('init', { key: '${PUBLIC_KEY}' ${options} }); ${more}`;
  }

  close() {
    this.server.close();
  }
}

/** A browser, driven as everybody drives one. */
export function browser(options = {}) {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"], ...options });
}

/** A browser on a screen as people start it, without Playwright's flags. */
export class Screen {
  static async open() {
    const screen = new Screen();
    const number = 90 + Math.floor(Math.random() * 900);
    screen.display = start("Xvfb", [`:${number}`, "-screen", "0", "1920x1080x24"], { stdio: "ignore" });
    screen.folder = mkdtempSync(join(tmpdir(), "dregs-person-"));
    const port = await freePort();
    const flags = [`--remote-debugging-port=${port}`, `--user-data-dir=${screen.folder}`, "--no-sandbox", "--no-first-run", "--window-size=1400,900", "about:blank"];
    const env = { ...process.env, DISPLAY: `:${number}` };
    screen.program = start(CHROMIUM, flags, { env, stdio: "ignore" });
    const connect = () => chromium.connectOverCDP(`http://127.0.0.1:${port}`).catch(() => false);
    screen.browser = await eventually("the browser", connect).catch(async (error) => {
      await screen.close();
      throw error;
    });
    return screen;
  }

  async close() {
    await this.browser?.close();
    this.program.kill("SIGKILL");
    this.display.kill();
    // Its processes end one after the other, and write until they do.
    await eventually("the browser to end", () => {
      try {
        rmSync(this.folder, { recursive: true, force: true });
        return true;
      } catch {
        return false;
      }
    });
  }
}
