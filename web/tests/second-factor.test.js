// Signing in to the dashboard: sessions, a second factor, and a team that requires one.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code of a secret in base 32 by RFC 6238, so many steps from now. */
function codeOf(secret, steps = 0) {
  const bits = [...secret.replaceAll(/\s/g, "")].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  const offset = hash.at(-1) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Signs in by the form; a code is asked for if there is one to give. */
async function signIn(page, { email, password }, code) {
  await page.goto(`${dregs.url}/sign-in`);
  await page.getByLabel("E-mail").fill(email);
  await page.locator("input[type=password]").fill(password);
  await page.keyboard.press("Enter");
  if (code === undefined) return;
  await page.getByRole("heading", { name: "Enter your code" }).waitFor();
  await page.getByLabel("Code").fill(code);
  await page.keyboard.press("Enter");
}

test("a person sees where they are signed in, and ends one session and all others", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page } = analyst;
  const other = await dregs.call("POST", "/auth/login", ADMIN);
  await dregs.call("POST", "/auth/login", ADMIN);
  const found = [];
  await analyst.open("/settings/account");
  const rows = page.getByRole("group", { name: "Your sessions" }).locator("tbody tr");
  // One of them is that of the test's own set-up.
  await eventually("the sessions", async () => (await rows.count()) === 4);
  const own = rows.filter({ hasText: "This session" });
  assert.match(await own.innerText(), /Chrome on Linux/);
  assert.match(await own.innerText(), /127\.0\.0\.1/);
  assert.equal(await own.getByRole("button").count(), 0);
  await analyst.looksRight(found, "sessions");
  await rows.filter({ hasNotText: "This session" }).first().getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await eventually("one less", async () => (await rows.count()) === 3);
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out all others" }).click();
  await eventually("one left", async () => (await rows.count()) === 1);
  await assert.rejects(dregs.call("GET", "/auth/me", undefined, other.token), /401/);
  assert.deepEqual(found, []);
  await analyst.leave();
});

/** Sets it up on the page that is open, from the button that begins; the secret and the recovery codes. */
async function enroll(page, scope, begin, look = async () => {}) {
  await begin();
  await scope.locator("input[type=password]").fill(ADMIN.password);
  await page.keyboard.press("Enter");
  const key = page.getByLabel("Key", { exact: true });
  await key.waitFor();
  await page.getByRole("img", { name: "QR code of the key" }).waitFor();
  await look("key");
  const secret = await key.innerText();
  const field = scope.locator("input[autocomplete=one-time-code]");
  await field.fill("000000");
  await page.keyboard.press("Enter");
  await page.getByText("The code is not right.").waitFor();
  await field.fill(codeOf(secret));
  await page.keyboard.press("Enter");
  await page.getByText("Save these codes now").waitFor();
  await look("recovery-codes");
  const codes = await page.locator("li code").allInnerTexts();
  assert.equal(codes.length, 10);
  await page.getByRole("button", { name: "I have saved them" }).click();
  return { secret, codes };
}

test("a person sets up a second factor, signs out, and signs in with a code", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page, complaints } = analyst;
  const found = [];
  await analyst.open("/settings/account");
  const begin = () => page.getByRole("button", { name: "Set up…" }).click();
  const { secret, codes } = await enroll(page, page.getByRole("dialog"), begin, (what) => analyst.looksRight(found, what));
  await page.getByText("Recovery codes left").waitFor();
  await analyst.looksRight(found, "second-factor");
  complaints.splice(0);

  await page.getByRole("button", { name: "Sign out", exact: true }).first().click();
  await page.waitForURL(/sign-in/);
  await signIn(page, ADMIN);
  await page.getByRole("heading", { name: "Enter your code" }).waitFor();
  await analyst.looksRight(found, "enter-code");
  await page.getByLabel("Code").fill("000000");
  await page.keyboard.press("Enter");
  await page.getByText("The code is not right, or was used before.").waitFor();
  await page.getByLabel("Code").fill(codeOf(secret, 1));
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  await page.context().clearCookies();
  await signIn(page, ADMIN, codes[0]);
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  complaints.splice(0);

  await analyst.open("/settings/account");
  await page.getByRole("button", { name: "New recovery codes…" }).click();
  await page.getByRole("dialog").locator("input[type=password]").fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.getByText("Save these codes now").waitFor();
  const renewed = await page.locator("li code").allInnerTexts();
  assert.equal(renewed.includes(codes[1]), false);
  await page.getByRole("button", { name: "I have saved it" }).click();
  assert.deepEqual(found, []);
  await analyst.leave();
  await dregs.call("POST", "/auth/second-factor/actions/disable", { password: ADMIN.password }, await token(renewed[0]));
});

/** A session of the admin by a recovery code. */
async function token(code) {
  return (await dregs.call("POST", "/auth/login", { ...ADMIN, code })).token;
}

for (const [name, options] of [["at a desk", {}], ["in the dark, on a phone", { colorScheme: "dark", viewport: { width: 390, height: 844 } }]]) {
  test(`a team requires a second factor, and a new member is led to it, ${name}`, async () => {
    const analyst = await Analyst.arrive(chrome, dregs, options);
    const { page, complaints } = analyst;
    const found = [];
    await analyst.open("/settings/team");
    await page.getByText("set up your own").waitFor();
    await analyst.open("/settings/account");
    const { codes } = await enroll(page, page.getByRole("dialog"), () => page.getByRole("button", { name: "Set up…" }).click());
    complaints.splice(0);
    await analyst.open("/settings/team");
    await page.getByRole("button", { name: "Require…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Require" }).click();
    await page.getByRole("button", { name: "Make optional…" }).waitFor();
    await analyst.looksRight(found, `team ${name}`);

    const admin = await token(codes[0]);
    const email = `bob-${Math.random().toString(36).slice(2)}@example.com`;
    const invitation = await dregs.call("POST", "/team/invitations", { email, role: "USER" }, admin);
    const context = await chrome.newContext(options);
    const bob = new Analyst();
    Object.assign(bob, { dregs, complaints: [], context, page: await context.newPage() });
    bob.listen();
    await bob.page.goto(`${dregs.url}/accept-invitation#${invitation.token}`);
    await bob.page.locator("input[type=password]").fill(ADMIN.password);
    await bob.page.keyboard.press("Enter");
    await bob.page.getByRole("heading", { name: "Set up a second factor" }).waitFor();
    await bob.looksRight(found, `second-factor-first ${name}`);
    await bob.page.goto(`${dregs.url}/identities?term=ada`);
    await bob.page.waitForURL(/second-factor\?to=/);
    await enroll(bob.page, bob.page.locator("main"), async () => {}, (what) => bob.looksRight(found, `first ${what} ${name}`));
    await bob.page.waitForURL(/\/identities\?term=ada/);
    await bob.page.getByRole("navigation", { name: "Main" }).waitFor({ state: "attached" });
    bob.complaints.splice(0);
    await bob.leave();

    await analyst.open("/settings/team");
    const row = page.getByRole("group", { name: "Members" }).locator("tbody tr", { hasText: email });
    await row.getByRole("button", { name: "Reset second factor" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Reset second factor" }).click();
    await page.getByText(`${email} has no second factor now.`).waitFor();
    await page.getByRole("button", { name: "Make optional…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make optional" }).click();
    await page.getByRole("button", { name: "Require…" }).waitFor();
    assert.deepEqual(found, []);
    await analyst.leave();
    await dregs.call("POST", "/auth/second-factor/actions/disable", { password: ADMIN.password }, admin);
  });
}
