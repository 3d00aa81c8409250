// AI agents that sign their requests, on the pages of those for whom they came.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Analyst } from "./analyst.js";
import { browser, Dregs } from "./support.js";

const SIGNER = "https://chatgpt.com";
const CHROME =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";

let dregs, chrome, folder;
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const { x } = publicKey.export({ format: "jwk" });
const keyid = createHash("sha256").update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x })).digest("base64url");

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "agents-"));
  const file = join(folder, "keys.json");
  writeFileSync(file, JSON.stringify({ [SIGNER]: { keys: [{ kty: "OKP", crv: "Ed25519", x }] } }));
  dregs = await Dregs.start(() => [], { DREGS_AGENT_KEYS_FILE: file });
  chrome = await browser();
});

after(async () => {
  await chrome?.close();
  await dregs?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The headers of a request to the shop, signed now with this key under the name of the signer's. */
function headers(key) {
  const now = Math.floor(Date.now() / 1000);
  const params = `("@authority" "signature-agent");created=${now};expires=${now + 60};keyid="${keyid}";tag="web-bot-auth"`;
  const base = `"@authority": shop.example.com\n"signature-agent": "${SIGNER}"\n"@signature-params": ${params}`;
  const signature = sign(null, Buffer.from(base), key).toString("base64");
  return { "Signature-Agent": `"${SIGNER}"`, "Signature-Input": `sig=${params}`, Signature: `sig=:${signature}:` };
}

test("the page of somebody, and of an event, say how an agent is known", async () => {
  const buys = (id, more) => ({
    id,
    type: "order.paid",
    identity: { id },
    url: "https://shop.example.com/checkout",
    userAgent: CHROME,
    ...more,
  });
  await dregs.call("POST", "/events", buys("verified", { headers: headers(privateKey) }));
  await dregs.call("POST", "/events", buys("forged", { headers: headers(generateKeyPairSync("ed25519").privateKey) }));
  await dregs.call("POST", "/events", buys("unsigned", { userAgent: `${CHROME}; compatible; ChatGPT-User/1.0` }));
  await dregs.score("forged", "HUMANITY");
  await dregs.analysis("verified", 1);
  await dregs.score("unsigned", "HUMANITY");
  const analyst = await Analyst.arrive(chrome, dregs);
  const words = {
    verified: "ChatGPT Agent (OpenAI): does what a person asks for, verified by its operator's key",
    forged: "ChatGPT Agent (OpenAI): does what a person asks for, with a signature that is false by its operator's key",
    unsigned: "ChatGPT-User (OpenAI): reads for a person's question, by its own word",
  };
  for (const [id, said] of Object.entries(words)) {
    await analyst.open(`/identities/${id}`);
    await analyst.page.getByText(`Agent seen last: ${said}`, { exact: true }).waitFor();
    await analyst.open(`/events/${id}`);
    await analyst.page.getByText(said, { exact: true }).waitFor();
  }
  await analyst.open("/identities/forged");
  const humanity = await analyst.page.getByRole("region", { name: "Humanity" }).innerText();
  assert.match(humanity, /under the name of ChatGPT Agent with a signature that is false by the key of OpenAI/);
  await analyst.leave();
});
