function e(e){return`<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }<\/script>
<script async src="${location.origin}/dregs.js"><\/script>
<script>
  dregs('init', { key: '${e??`pk_…`}' })
  dregs('identify', 'user_1', { email: 'ada@example.com' })   // once you know who it is
  dregs('track', 'purchase', { total: 12 })
<\/script>`}function t(e){return`${e===void 0?``:`DREGS_SECRET_KEY=${e} `}dregs listen${location.origin===`http://127.0.0.1:8080`?``:` --server ${location.origin}`}`}var n=`{ "name": "Ada Lovelace", "email": "ada@example.com" }`,r=`Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0`;function i(e){return`export DREGS_SECRET_KEY=${e??`sk_…`}
curl ${location.origin}/api/events \\
  -H "Authorization: Bearer $DREGS_SECRET_KEY" -H 'Content-Type: application/json' \\
  -d '{"type": "user.signup", "identity": {"id": "user_1", "data": ${n}},
       "ip": "203.0.113.20", "userAgent": "${r}"}'`}var a={ip:`203.0.113.99`,userAgent:`python-requests/2.32`,device:{fingerprint:`example-script`}},o=[{type:`user.signup`,identity:{id:`example_ada`,data:{name:`Ada Lovelace`,email:`ada@lovelace.org`}},ip:`203.0.113.20`,userAgent:r,device:{fingerprint:`example-laptop`}},...[`Qwrt Zxcv`,`Asdf Hjkl`,`Poiu Mnbv`].map((e,t)=>({type:`user.signup`,identity:{id:`example_bot_${t+1}`,data:{name:e,email:`qwrtzx${t+1}@mailinator.com`}},...a}))];function s(e){return`curl ${location.origin}/api/events/batch \\
  -H "Authorization: Bearer ${e??`$DREGS_SECRET_KEY`}" -H 'Content-Type: application/json' \\
  -d '[
${o.map(e=>`    ${JSON.stringify(e)}`).join(`,
`)}
  ]'`}var c={curl:({secretKey:e})=>s(e),Browser:({publicKey:t})=>e(t),TypeScript:({secretKey:e})=>`// Node.js 18 or newer, in a module.
// In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
const answer = await fetch("${location.origin}/api/events", {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.DREGS_SECRET_KEY}\`, "Content-Type": "application/json" },
  body: JSON.stringify({
    type: "user.signup",
    identity: { id: "user_1", data: ${n} },
    ip: "203.0.113.20", // of the user, not of your backend
    userAgent: "${r}", // likewise
  }),
});
if (!answer.ok) throw new Error(await answer.text());`,Python:({secretKey:e})=>`# pip install dregs
# In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
import os

from dregs import Dregs

dregs = Dregs(os.environ["DREGS_SECRET_KEY"], base_url="${location.origin}/api")
dregs.track("user.signup", identity="user_1", identity_data=${n})`,Rust:({secretKey:e})=>`// cargo add dregs serde_json tokio --features tokio/full
// In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret_key = std::env::var("DREGS_SECRET_KEY")?;
    let client = dregs::Client::builder().secret_key(secret_key).base_url("${location.origin}/api").build()?;
    let ada = serde_json::json!(${n});
    client.track(dregs::Event::new("user.signup", "user_1").identity_data(ada)).await?;
    Ok(())
}`};export{e as a,t as i,c as n,i as r,o as t};