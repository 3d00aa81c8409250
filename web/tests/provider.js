// A real OpenID provider: oidc-provider, which is certified, with people whose claims a test changes. By itself it prints
// its issuer, and reads the people from a file at each sign-in: `node provider.js <redirect URI> <file>`.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Provider } from "oidc-provider";

export const CLIENT = { id: "dregs", secret: "the secret that both have" };

/** A page with a button for each person, in place of passwords. */
const form = (people) =>
  `<!doctype html><title>Login</title><link rel="icon" href="data:,"><h1>Who are you?</h1><form method="post">${Object.keys(people)
    .map((subject) => `<button name="subject" value="${subject}">${subject}</button>`)
    .join("")}<button name="subject" value="">nobody</button></form>`;

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

/** A provider at an address of its own, for a client that is told of later. `people` answers with claims by subject. */
export class Login {
  static async start(people) {
    const login = new Login();
    login.people = people;
    login.server = createServer((request, response) => void login.answer(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => login.server.once("listening", resolve));
    login.issuer = `http://127.0.0.1:${login.server.address().port}`;
    return login;
  }

  /** Where the client's browsers come back to. */
  serve(redirect) {
    this.provider = new Provider(this.issuer, {
      clients: [
        { client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirect], grant_types: ["authorization_code"], response_types: ["code"] },
      ],
      findAccount: (_, subject) => ({ accountId: subject, claims: () => ({ sub: subject, ...this.people()[subject] }) }),
      claims: { openid: ["sub", "amr"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
      cookies: { keys: ["signs cookies"] },
      pkce: { required: () => true },
      // Nobody is asked whether the client may know what it asks for.
      loadExistingGrant: async (context) => {
        const { client, session } = context.oidc;
        const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope("openid email profile groups");
        await grant.save();
        return grant;
      },
    });
    this.provider.on("server_error", (_, error) => console.error(error));
    this.callback = this.provider.callback();
  }

  async answer(request, response) {
    if (!request.url.startsWith("/login/")) return this.callback(request, response);
    try {
      if (request.method === "GET") return response.setHeader("content-type", "text/html").end(form(this.people()));
      const subject = (await body(request)).get("subject");
      const result = subject ? { login: { accountId: subject } } : { error: "access_denied", error_description: "nobody" };
      await this.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [redirect, file] = process.argv.slice(2);
  const login = await Login.start(() => JSON.parse(readFileSync(file, "utf8")));
  login.serve(redirect);
  console.log(login.issuer);
  // It ends with whoever has started it.
  process.stdin.resume().on("end", () => process.exit()).on("close", () => process.exit());
}
