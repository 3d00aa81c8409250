// Pictures of the dashboard's main pages, from a running demo: node pictures.js URL PASSWORD FOLDER

import { join } from "node:path";
import { browser } from "./support.js";

const [url, password, folder] = process.argv.slice(2);
const WINDOW = { width: 1280, height: 860 };

/** Each picture, the page it shows, and what is done there first. */
const PICTURES = [
  ["home", "/"],
  ["home-dark", "/", undefined, { colorScheme: "dark" }],
  ["identities", "/identities?sort=humanityScore&order=ASC"],
  ["identity", "/identities/ring-1"],
  ["links", "/identities/ring-1?tab=links", (page) => page.waitForTimeout(3_000)],
  ["escalations", "/escalations"],
  ["rule", "/escalation-rules/2", (page) => page.getByRole("button", { name: "Run", exact: true }).click()],
  ["channel", "/settings/channels", (page) => page.getByRole("link", { name: "Demo, flaky" }).first().click()],
  ["delivery", "/", openDelivery],
  ["phone", "/escalations", undefined, { viewport: { width: 390, height: 844 } }],
];

/** A delivery that was refused once and then taken. */
async function openDelivery(page) {
  const ask = async (path) => (await page.request.get(`${url}/api${path}`)).json();
  const flaky = (await ask("/channels")).find(({ slug }) => slug === "demo-flaky");
  const { content } = await ask(`/channels/${flaky.id}/deliveries?status=DELIVERED&pageSize=100`);
  await page.goto(`${url}/deliveries/${content.find(({ attemptCount }) => attemptCount > 1).id}`);
}

const launched = await browser();
for (const [name, path, act, options] of PICTURES) {
  const context = await launched.newContext({ viewport: WINDOW, colorScheme: "light", ...options });
  const signIn = await context.request.post(`${url}/api/auth/login`, { data: { email: "admin@localhost", password } });
  if (!signIn.ok()) throw new Error(`signing in: ${signIn.status()}`);
  const page = await context.newPage();
  await page.goto(url + path);
  await page.locator("h1").waitFor();
  await page.waitForTimeout(1_500);
  await act?.(page);
  await page.waitForTimeout(1_000);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await context.close();
}
await launched.close();
