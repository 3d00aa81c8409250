import{r as e}from"./rolldown-runtime-XKyaHtl9.js";import{V as t,_n as n,ci as r,ct as i,in as a,mr as o,nt as s,sn as c,st as l,tn as u,vn as d,wn as f}from"./shared-BpifptSi.js";import{r as p}from"./index-C3-OTzcF.js";var m=e(r(),1),h=o(),g=5e3;function _(){let{manage:e}=p(),t={enabled:e,refetchInterval:g},n=s.useQuery(`get`,`/api/credentials/refused-origins`,void 0,t),r=(s.useQuery(`get`,`/api/credentials`,void 0,{enabled:e}).data??[]).filter(e=>e.enabled);return n.data?.length?(0,h.jsx)(d,{color:`orange`,title:`Pages of these origins were refused: no credential allows them`,children:(0,h.jsx)(u,{gap:`sm`,children:n.data.map(e=>(0,h.jsx)(v,{refused:e,credentials:r},`${e.origin} ${e.credentialId??``}`))})}):null}function v({refused:{origin:e,credentialId:r,count:i,lastSeenAt:a,canBeAllowed:o},credentials:s}){let c=s.find(({id:e})=>e===r);return(0,h.jsxs)(f,{gap:`sm`,justify:`space-between`,children:[(0,h.jsxs)(n,{fz:`sm`,component:`div`,miw:0,children:[(0,h.jsx)(`strong`,{className:`mono break`,children:o?e:`no origin (null)`}),c&&(0,h.jsxs)(h.Fragment,{children:[`, with the key of `,c.name]}),`: `,i===1?`one request`:`${i.toLocaleString(`en`)} requests`,`, the last `,(0,h.jsx)(t,{at:a}),!o&&(0,h.jsx)(h.Fragment,{children:`. Local files and sandboxed frames have no origin: serve the page over http.`})]}),o&&(0,h.jsx)(y,{origin:e,credentials:c?[c]:s})]})}function y({origin:e,credentials:t}){let[n,r]=(0,m.useState)(),o=t.find(({id:e})=>String(e)===n)??t[0],u=s.useMutation(`patch`,`/api/credentials/{id}`,{onSuccess:async({name:t})=>{i(`Pages of ${e} may send events with the public key of ${t}.`),await l(`/api/credentials`)}});return o?(0,h.jsxs)(f,{gap:`xs`,wrap:`nowrap`,children:[t.length>1&&(0,h.jsx)(a,{size:`xs`,"aria-label":`Credential for ${e}`,value:String(o.id),data:t.map(({id:e,name:t})=>({value:String(e),label:t})),onChange:e=>r(e.currentTarget.value)}),(0,h.jsx)(c,{size:`xs`,loading:u.isPending,onClick:()=>u.mutate({params:{path:{id:o.id}},body:{allowedOrigins:[...o.allowedOrigins,e]}}),"aria-label":`Allow ${e}`,children:`Allow`})]}):null}var b=`pk_…`;function x(e){return`<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }<\/script>
<script async src="${location.origin}/dregs.js"><\/script>
<script>
  dregs('init', { key: '${e??b}' })
  dregs('identify', 'user_1', { email: 'ada@example.com' })   // once you know who it is
  dregs('track', 'purchase', { total: 12 })
<\/script>`}function S(e){return`export DREGS_SECRET_KEY=${e??`sk_…`}
curl ${location.origin}/api/events \\
  -H "Authorization: Bearer $DREGS_SECRET_KEY" -H 'Content-Type: application/json' \\
  -d '{"type": "user.signup", "identity": {"id": "user_1", "data": {"email": "ada@example.com"}}}'`}var C={ip:`203.0.113.99`,userAgent:`python-requests/2.32`,device:{fingerprint:`example-script`}},w=[{type:`user.signup`,identity:{id:`example_ada`,data:{name:`Ada Lovelace`,email:`ada@lovelace.org`}},ip:`203.0.113.20`,userAgent:`Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0`,device:{fingerprint:`example-laptop`}},...[`Qwrt Zxcv`,`Asdf Hjkl`,`Poiu Mnbv`].map((e,t)=>({type:`user.signup`,identity:{id:`example_bot_${t+1}`,data:{name:e,email:`qwrtzx${t+1}@mailinator.com`}},...C}))];function T(e){return`curl ${location.origin}/api/events/batch \\
  -H "Authorization: Bearer ${e??`$DREGS_SECRET_KEY`}" -H 'Content-Type: application/json' \\
  -d '[
${w.map(e=>`    ${JSON.stringify(e)}`).join(`,
`)}
  ]'`}var E=`{ "name": "Ada Lovelace", "email": "ada@example.com" }`,D={curl:({secretKey:e})=>T(e),Browser:({publicKey:e})=>x(e),TypeScript:({secretKey:e})=>`// Node.js 18 or newer, in a module.
// In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
const answer = await fetch("${location.origin}/api/events", {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.DREGS_SECRET_KEY}\`, "Content-Type": "application/json" },
  body: JSON.stringify({
    type: "user.signup",
    identity: { id: "user_1", data: ${E} },
    ip: "203.0.113.20", // of the user, not of your backend
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", // likewise
  }),
});
if (!answer.ok) throw new Error(await answer.text());`,Python:({secretKey:e})=>`# pip install dregs
# In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
import os

from dregs import Dregs

dregs = Dregs(os.environ["DREGS_SECRET_KEY"], base_url="${location.origin}/api")
dregs.track("user.signup", identity="user_1", identity_data=${E})`,Rust:({secretKey:e})=>`// cargo add dregs serde_json tokio --features tokio/full
// In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret_key = std::env::var("DREGS_SECRET_KEY")?;
    let client = dregs::Client::builder().secret_key(secret_key).base_url("${location.origin}/api").build()?;
    let ada = serde_json::json!(${E});
    client.track(dregs::Event::new("user.signup", "user_1").identity_data(ada)).await?;
    Ok(())
}`};export{_ as a,x as i,D as n,S as r,w as t};