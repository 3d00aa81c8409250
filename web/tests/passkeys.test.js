// Signing in with a passkey, by Chromium's own authenticator.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, picture } from "./analyst.js";
import { ADMIN, browser, Dregs, eventually } from "./support.js";

let dregs, chrome;

before(async () => {
  dregs = await Dregs.start(() => []);
  // Passkeys are for names, and not for addresses of numbers.
  dregs.url = dregs.url.replace("127.0.0.1", "localhost");
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
});

/** Plugs an authenticator into a page that verifies whoever uses it, or refuses to. */
async function plug(page, transport = "internal") {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport, hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    verifies: (isUserVerified) => devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    credentials: async () => (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    unplug: () => devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
  };
}

async function create(page, name) {
  await page.getByRole("button", { name: "New passkey…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.locator("input[type=password]").fill(ADMIN.password);
  await page.keyboard.press("Enter");
}

async function signInBy(page) {
  await page.context().clearCookies();
  await page.goto(`${dregs.url}/sign-in?to=%2Fidentities`);
  await page.getByRole("button", { name: "Use a passkey" }).click();
}

test("a person registers passkeys, signs in with one alone, and removes one", async () => {
  const analyst = await Analyst.arrive(chrome, dregs);
  const { page, complaints } = analyst;
  const laptop = await plug(page);
  await analyst.open("/settings/account");
  await page.getByText("You have no passkeys").waitFor();
  await create(page, "Laptop");
  const rows = page.getByRole("group", { name: "Your passkeys" }).locator("tbody tr");
  await rows.filter({ hasText: "Laptop" }).getByText("Never").waitFor();
  const [made] = await laptop.credentials();
  assert.deepEqual([made.isResidentCredential, made.rpId], [true, "localhost"]);
  await create(page, "Laptop again");
  await page.getByText("This device has a passkey of yours already.").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.deepEqual(await analyst.barriers(), []);
  await picture(page, "passkeys");

  await signInBy(page);
  await page.waitForURL(/\/identities$/);
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  await analyst.open("/settings/account");
  await rows.filter({ hasText: "Laptop" }).getByText("just now").first().waitFor();

  // Whoever has the device, and is not its owner, does not get in.
  await laptop.verifies(false);
  await signInBy(page);
  await page.getByText("No passkey was used.").waitFor();
  await laptop.verifies(true);
  await signInBy(page);
  await page.waitForURL(/\/identities$/);
  // With a second authenticator beside it a browser would ask which one is meant.
  await laptop.unplug();
  const key = await plug(page, "usb");
  await analyst.open("/settings/account");
  await create(page, "Security key");
  await eventually("two passkeys", async () => (await rows.count()) === 2);
  complaints.splice(0);
  await rows.filter({ hasText: "Security key" }).getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await eventually("one passkey", async () => (await rows.count()) === 1);
  await signInBy(page);
  await page.getByText("This passkey signs nobody in").waitFor();
  assert.equal((await key.credentials()).length, 1);
  complaints.splice(0);
  await analyst.leave();
});

test("what a passkey has signed works once, on this server's pages, and stands for the second factor that a team requires", async () => {
  const context = await chrome.newContext();
  const page = await context.newPage();
  await plug(page);
  await page.goto(`${dregs.url}/sign-in`);
  const call = (method, path, body) => page.evaluate(async ([method, path, body]) => {
    const answer = await fetch(`/api${path}`, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: text && JSON.parse(text) };
  }, [method, path, body]);
  const sign = (asked) => page.evaluate(async ({ ceremony, options }) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return { ceremony, credential: (await navigator.credentials.get({ publicKey })).toJSON() };
  }, asked);
  assert.equal((await call("POST", "/auth/login", ADMIN)).status, 200);
  const { body: begun } = await call("POST", "/auth/passkeys/actions/begin", { password: ADMIN.password });
  const made = await page.evaluate(async ({ ceremony, options }) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return { ceremony, credential: (await navigator.credentials.create({ publicKey })).toJSON() };
  }, begun);
  assert.equal((await call("POST", "/auth/passkeys", { name: "Laptop", ...made })).status, 201);
  assert.equal((await call("POST", "/auth/passkeys", { name: "Again", ...made })).body.code, "passkey_refused");
  const { body: refused } = await call("PATCH", "/team", { secondFactorRequired: true });
  assert.equal(refused.code, "wrong_state", "a password alone requires nothing of others");

  const { body: asked } = await call("POST", "/auth/login/passkey/actions/begin");
  const signed = await sign(asked);
  const other = await call("POST", "/auth/login/passkey/actions/begin");
  const swapped = await call("POST", "/auth/login/passkey", { ...signed, ceremony: other.body.ceremony });
  assert.deepEqual([swapped.status, swapped.body.code], [401, "passkey_refused"], "of another challenge");
  const first = await call("POST", "/auth/login/passkey", signed);
  assert.deepEqual([first.status, first.body.user.email], [200, ADMIN.email]);
  const twice = await call("POST", "/auth/login/passkey", signed);
  assert.deepEqual([twice.status, twice.body.code], [401, "passkey_refused"]);
  // A page of another name cannot use it: its server is another one.
  const elsewhere = await fetch(`${dregs.url.replace("localhost", "127.0.0.1")}/api/auth/login/passkey`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(await sign((await call("POST", "/auth/login/passkey/actions/begin")).body)),
  });
  assert.equal(elsewhere.status, 409);

  assert.equal((await call("PATCH", "/team", { secondFactorRequired: true })).status, 200);
  assert.equal((await call("GET", "/identities")).status, 200);
  const byPassword = await call("POST", "/auth/login", ADMIN);
  assert.equal(byPassword.body.user.secondFactorMissing, true);
  assert.equal((await call("GET", "/identities")).body.code, "second_factor_missing");
  const again = await sign((await call("POST", "/auth/login/passkey/actions/begin")).body);
  assert.equal((await call("POST", "/auth/login/passkey", again)).status, 200);
  assert.equal((await call("PATCH", "/team", { secondFactorRequired: false })).status, 200);
  await context.close();
});
