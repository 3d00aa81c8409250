// Signing in at a real OpenID provider, by its pages and ours.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analyst, picture } from "./analyst.js";
import { CLIENT, Login } from "./provider.js";
import { ADMIN, browser, Dregs } from "./support.js";

const NAME = "Example login";
let login, dregs, chrome, people;

const person = (email, groups, more = {}) => ({ email, email_verified: true, name: "Ada Lovelace", groups, ...more });

/** Somebody in a browser of their own, who is not signed in. */
class Visitor extends Analyst {
  static async arrive(options = {}) {
    const visitor = new Visitor();
    Object.assign(visitor, { dregs, complaints: [] });
    visitor.context = await chrome.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    visitor.page = await visitor.context.newPage();
    visitor.listen();
    return visitor;
  }

  /** Goes to the provider and back, as this person or as nobody. */
  async signIn(subject, to) {
    await this.page.goto(`${dregs.url}/sign-in${to ? `?to=${encodeURIComponent(to)}` : ""}`);
    await this.page.getByRole("button", { name: `Continue with ${NAME}` }).click();
    const who = this.page.getByRole("button", { name: subject, exact: true });
    await this.page.waitForURL((url) => url.origin === login.issuer || url.pathname !== "/sign-in");
    // Whoever has been there is known there.
    if (new URL(this.page.url()).origin === login.issuer) await who.click();
  }

  role() {
    return this.page.evaluate(async () => (await (await fetch("/api/auth/me")).json()).role);
  }

  /** What a person is told who is not signed in. */
  async refused() {
    await this.page.getByRole("heading", { name: "You are not signed in" }).waitFor();
    return this.page.getByRole("alert").innerText();
  }

  /** Complaints but for requests to the provider, which are wanted, and refusals. */
  others() {
    return this.complaints.splice(0).filter((text) => text !== `a request to ${login.issuer}` && !text.includes("the server responded with a status of 401"));
  }
}

function settings(more = {}) {
  return {
    DREGS_OIDC_ISSUER: login.issuer,
    DREGS_OIDC_CLIENT_ID: CLIENT.id,
    DREGS_OIDC_CLIENT_SECRET: CLIENT.secret,
    DREGS_OIDC_NAME: NAME,
    DREGS_OIDC_SCOPES: "openid email profile groups",
    DREGS_OIDC_ROLE_CLAIM: "groups",
    DREGS_OIDC_ROLES: "fraud-admins=ADMIN,fraud=USER,support=VIEWER",
    DREGS_OIDC_PROVISIONING: "true",
    ...more,
  };
}

before(async () => {
  people = { ada: person("ada@example.com", ["fraud"]), eve: person("ada@example.com", ["fraud-admins"]), bob: person("bob@example.com", []) };
  login = await Login.start(() => people);
  dregs = await Dregs.start(() => [], settings());
  login.serve(`${dregs.url}/sign-in/oidc`);
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  login?.stop();
});

test("a person signs in at the provider, comes back to the page that was asked for, and has the role from there", async () => {
  const ada = await Visitor.arrive();
  await ada.page.goto(`${dregs.url}/sign-in`);
  await ada.page.getByRole("button", { name: `Continue with ${NAME}` }).waitFor();
  assert.deepEqual(await ada.barriers(), []);
  await picture(ada.page, "oidc-sign-in");
  await ada.signIn("ada", "/identities?term=x");
  await ada.page.waitForURL(/\/identities\?term=x$/);
  await ada.open("/settings/account");
  await ada.page.getByText("The sign-in provider, which keeps password and second factor").waitFor();
  const panels = await ada.page.getByRole("heading", { level: 2 }).allInnerTexts();
  assert.ok(panels.includes("Profile") && panels.includes("Sessions"), `${panels}`);
  for (const gone of ["Password", "Second factor", "Passkeys"]) assert.ok(!panels.includes(gone), gone);
  await ada.page.getByText("Ada Lovelace").first().waitFor();
  assert.deepEqual(await ada.barriers(), []);
  await picture(ada.page, "oidc-account");
  assert.equal(await ada.role(), "USER");

  // The role of the next sign-in is the provider's.
  people.ada.groups = ["fraud-admins"];
  await ada.signIn("ada", "/settings/team");
  await ada.page.getByRole("row").filter({ hasText: "ada@example.com" }).getByText("At the sign-in provider").waitFor();
  assert.equal(await ada.role(), "ADMIN");
  await picture(ada.page, "oidc-team");
  assert.deepEqual(ada.others(), []);

  // Whoever has lost the claim is told which, and is signed out everywhere.
  people.ada.groups = ["janitors"];
  const elsewhere = await Visitor.arrive();
  await elsewhere.signIn("ada");
  assert.equal(await elsewhere.refused(), 'You have no role here: the claim "groups" of your account at the provider gives none. Have whoever runs the provider give you one.');
  assert.deepEqual(await elsewhere.barriers(), []);
  await picture(elsewhere.page, "oidc-refused");
  await elsewhere.page.getByRole("button", { name: "Back to sign-in" }).click();
  await elsewhere.page.getByRole("button", { name: `Continue with ${NAME}` }).waitFor();
  assert.deepEqual(elsewhere.others(), []);
  await ada.page.goto(`${dregs.url}/identities`);
  await ada.page.waitForURL(/\/sign-in\?to=/);
  people.ada.groups = ["fraud"];
});

test("another subject with the same address, a refusal at the provider, and a way back that was not begun here are told", async () => {
  const eve = await Visitor.arrive();
  await eve.signIn("eve");
  assert.match(await eve.refused(), /^Somebody else at the provider has joined with your e-mail address\./);
  assert.deepEqual(eve.others(), []);

  const nobody = await Visitor.arrive();
  await nobody.signIn("nobody");
  assert.equal(await nobody.refused(), "The provider did not sign you in. Try again, or ask whoever runs it to give you access.");
  await nobody.page.goto(`${dregs.url}/sign-in/oidc?code=stolen&state=stolen`);
  // What had been begun before is not completed by another answer.
  assert.match(await nobody.refused(), /Begin again\.$/);
  assert.deepEqual(nobody.others(), []);
  const stranger = await Visitor.arrive();
  await stranger.page.goto(`${dregs.url}/sign-in/oidc?code=stolen&state=stolen`);
  assert.equal(await stranger.refused(), "This sign-in was begun in another tab or browser, or is completed. Begin again.");
  assert.deepEqual(stranger.others(), []);
});

test("a password goes on working beside it", async () => {
  const admin = await Analyst.arrive(chrome, dregs);
  assert.deepEqual(admin.complaints, []);
  await admin.leave();
});

for (const [name, options] of [["desk-dark", { colorScheme: "dark" }], ["phone", { viewport: { width: 390, height: 844 } }], ["phone-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }]]) {
  test(`the pages fit and can be used by everybody, ${name}`, async () => {
    const visitor = await Visitor.arrive(options);
    for (const [page, path] of [["sign-in", "/sign-in"], ["refused", "/sign-in/oidc?error=access_denied"]]) {
      await visitor.page.goto(dregs.url + path);
      await visitor.page.getByRole("button").first().waitFor();
      assert.deepEqual(await visitor.barriers(), []);
      assert.ok((await visitor.overflow()) <= 0, page);
      assert.deepEqual(await visitor.cut(), []);
      await picture(visitor.page, `oidc-${page}-${name}`);
    }
    assert.deepEqual(visitor.others(), []);
  });
}

test("with passwords off the provider is the way in, and a password from the command line the way back", async () => {
  const sole = new Dregs();
  Object.assign(sole, { port: dregs.port, folder: dregs.folder, url: dregs.url, settings: settings({ DREGS_LOCAL_SIGN_IN: "false" }) });
  await dregs.kill();
  sole.launch();
  await sole.ready();
  dregs = sole;
  const ada = await Visitor.arrive();
  await ada.page.goto(`${dregs.url}/sign-in`);
  await ada.page.getByRole("button", { name: `Continue with ${NAME}` }).waitFor();
  assert.equal(await ada.page.getByLabel("E-mail").count(), 0);
  assert.deepEqual(await ada.barriers(), []);
  await picture(ada.page, "oidc-alone");
  await ada.page.getByRole("button", { name: "Use a password from the command line" }).click();
  await ada.page.getByLabel("E-mail").fill(ADMIN.email);
  await ada.page.locator("input[type=password]").fill(ADMIN.password);
  await ada.page.getByRole("button", { name: "Sign in" }).click();
  await ada.page.getByText("Passwords and passkeys sign nobody in here").waitFor();
  assert.deepEqual(ada.complaints.splice(0).filter((text) => !text.includes("403")), []);
  await ada.signIn("ada");
  await ada.page.getByRole("navigation", { name: "Main" }).waitFor();
  assert.deepEqual(ada.others(), []);
});
