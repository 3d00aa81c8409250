// What one copies to send events.

/** What stands for a key that is not known here: the server keeps only its hash. */
export const UNKNOWN_SECRET = "$DREGS_SECRET_KEY";
const UNKNOWN_PUBLIC = "pk_…";

interface Keys {
  publicKey: string | undefined;
  /** As shown when it was made; else it stays in the environment. */
  secretKey: string | undefined;
}

/** For every page of a site. */
export function pageSnippet(publicKey: string | undefined): string {
  return `<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }</script>
<script async src="${location.origin}/dregs.js"></script>
<script>
  dregs('init', { key: '${publicKey ?? UNKNOWN_PUBLIC}' })
  dregs('identify', 'user_1', { email: 'ada@example.com' })   // once you know who it is
  dregs('track', 'purchase', { total: 12 })
</script>`;
}

/** Where the command line looks for a server unless it is told. */
const USUAL_SERVER = "http://127.0.0.1:8080";

/** Receives webhooks on the machine one works on, and verifies them. */
export function listenCommand(secretKey?: string): string {
  const key = secretKey === undefined ? "" : `DREGS_SECRET_KEY=${secretKey} `;
  return `${key}dregs listen${location.origin === USUAL_SERVER ? "" : ` --server ${location.origin}`}`;
}

const ADA = '{ "name": "Ada Lovelace", "email": "ada@example.com" }';
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";

/** For a backend; the secret key stays in its environment. */
export function eventCommand(secretKey: string | undefined): string {
  return `export DREGS_SECRET_KEY=${secretKey ?? "sk_…"}
curl ${location.origin}/api/events \\
  -H "Authorization: Bearer $DREGS_SECRET_KEY" -H 'Content-Type: application/json' \\
  -d '{"type": "user.signup", "identity": {"id": "user_1", "data": ${ADA}},
       "ip": "203.0.113.20", "userAgent": "${FIREFOX}"}'`;
}

const SCRIPT = { ip: "203.0.113.99", userAgent: "python-requests/2.32", device: { fingerprint: "example-script" } };

/** An ordinary user, and three accounts that one script has made: what each of the four scores is about. */
export const EXAMPLE = [
  {
    type: "user.signup",
    identity: { id: "example_ada", data: { name: "Ada Lovelace", email: "ada@lovelace.org" } },
    ip: "203.0.113.20",
    userAgent: FIREFOX,
    device: { fingerprint: "example-laptop" },
  },
  ...["Qwrt Zxcv", "Asdf Hjkl", "Poiu Mnbv"].map((name, index) => ({
    type: "user.signup",
    identity: { id: `example_bot_${index + 1}`, data: { name, email: `qwrtzx${index + 1}@mailinator.com` } },
    ...SCRIPT,
  })),
];

function exampleCommand(secretKey: string | undefined): string {
  return `curl ${location.origin}/api/events/batch \\
  -H "Authorization: Bearer ${secretKey ?? UNKNOWN_SECRET}" -H 'Content-Type: application/json' \\
  -d '[
${EXAMPLE.map((event) => `    ${JSON.stringify(event)}`).join(",\n")}
  ]'`;
}

/** A snippet in each language, by its name; each runs as it stands. */
export const SNIPPETS: Record<string, (keys: Keys) => string> = {
  curl: ({ secretKey }) => exampleCommand(secretKey),
  Browser: ({ publicKey }) => pageSnippet(publicKey),
  TypeScript: ({ secretKey }) => `// Node.js 18 or newer, in a module.
// In the environment: DREGS_SECRET_KEY=${secretKey ?? "sk_…"}
const answer = await fetch("${location.origin}/api/events", {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.DREGS_SECRET_KEY}\`, "Content-Type": "application/json" },
  body: JSON.stringify({
    type: "user.signup",
    identity: { id: "user_1", data: ${ADA} },
    ip: "203.0.113.20", // of the user, not of your backend
    userAgent: "${FIREFOX}", // likewise
  }),
});
if (!answer.ok) throw new Error(await answer.text());`,
  Python: ({ secretKey }) => `# pip install dregs
# In the environment: DREGS_SECRET_KEY=${secretKey ?? "sk_…"}
import os

from dregs import Dregs

dregs = Dregs(os.environ["DREGS_SECRET_KEY"], base_url="${location.origin}/api")
dregs.track("user.signup", identity="user_1", identity_data=${ADA})`,
  Rust: ({ secretKey }) => `// cargo add dregs serde_json tokio --features tokio/full
// In the environment: DREGS_SECRET_KEY=${secretKey ?? "sk_…"}
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret_key = std::env::var("DREGS_SECRET_KEY")?;
    let client = dregs::Client::builder().secret_key(secret_key).base_url("${location.origin}/api").build()?;
    let ada = serde_json::json!(${ADA});
    client.track(dregs::Event::new("user.signup", "user_1").identity_data(ada)).await?;
    Ok(())
}`,
};
