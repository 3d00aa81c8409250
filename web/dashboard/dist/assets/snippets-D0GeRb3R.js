import{r as e}from"./rolldown-runtime-XKyaHtl9.js";import{Qr as t,Qt as n,V as r,X as i,Xt as a,ar as o,cn as s,hn as c,ln as l,nt as u,qt as d,tt as f}from"./shared-CVnlGaF9.js";import{r as p}from"./index-CF8sTQhm.js";var m=e(t(),1),h=o(),g=5e3;function _(){let{manage:e}=p(),t={enabled:e,refetchInterval:g},n=i.useQuery(`get`,`/api/credentials/refused-origins`,void 0,t),r=(i.useQuery(`get`,`/api/credentials`,void 0,{enabled:e}).data??[]).filter(e=>e.enabled);return n.data?.length?(0,h.jsx)(l,{color:`orange`,title:`Pages of these origins were refused: no credential allows them`,children:(0,h.jsx)(d,{gap:`sm`,children:n.data.map(e=>(0,h.jsx)(v,{refused:e,credentials:r},`${e.origin} ${e.credentialId??``}`))})}):null}function v({refused:{origin:e,credentialId:t,count:n,lastSeenAt:i,canBeAllowed:a},credentials:o}){let l=o.find(({id:e})=>e===t);return(0,h.jsxs)(c,{gap:`sm`,justify:`space-between`,children:[(0,h.jsxs)(s,{fz:`sm`,component:`div`,miw:0,children:[(0,h.jsx)(`strong`,{className:`mono break`,children:a?e:`no origin (null)`}),l&&(0,h.jsxs)(h.Fragment,{children:[`, with the key of `,l.name]}),`: `,n===1?`one request`:`${n.toLocaleString(`en`)} requests`,`, the last `,(0,h.jsx)(r,{at:i}),!a&&(0,h.jsx)(h.Fragment,{children:`. Local files and sandboxed frames have no origin: serve the page over http.`})]}),a&&(0,h.jsx)(y,{origin:e,credentials:l?[l]:o})]})}function y({origin:e,credentials:t}){let[r,o]=(0,m.useState)(),s=t.find(({id:e})=>String(e)===r)??t[0],l=i.useMutation(`patch`,`/api/credentials/{id}`,{onSuccess:async({name:t})=>{u(`Pages of ${e} may send events with the public key of ${t}.`),await f(`/api/credentials`)}});return s?(0,h.jsxs)(c,{gap:`xs`,wrap:`nowrap`,children:[t.length>1&&(0,h.jsx)(a,{size:`xs`,"aria-label":`Credential for ${e}`,value:String(s.id),data:t.map(({id:e,name:t})=>({value:String(e),label:t})),onChange:e=>o(e.currentTarget.value)}),(0,h.jsx)(n,{size:`xs`,loading:l.isPending,onClick:()=>l.mutate({params:{path:{id:s.id}},body:{allowedOrigins:[...s.allowedOrigins,e]}}),"aria-label":`Allow ${e}`,children:`Allow`})]}):null}var b=`pk_…`;function x(e){return`<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }<\/script>
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
  ]'`}var E={curl:({secretKey:e})=>T(e),Browser:({publicKey:e})=>x(e),TypeScript:({secretKey:e})=>`// Node.js 18 or newer; in the environment: DREGS_SECRET_KEY=${e??`sk_…`}
const answer = await fetch("${location.origin}/api/events", {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.DREGS_SECRET_KEY}\`, "Content-Type": "application/json" },
  body: JSON.stringify({
    type: "user.signup",
    identity: { id: user.id, data: { name: user.name, email: user.email } },
    ip: request.ip,                             // of the user, not of your backend
    userAgent: request.headers["user-agent"],
  }),
});
if (!answer.ok) throw new Error(await answer.text());`,Python:({secretKey:e})=>`# pip install dregs; in the environment: DREGS_SECRET_KEY=${e??`sk_…`}
import os

from dregs import Dregs

dregs = Dregs(os.environ["DREGS_SECRET_KEY"], base_url="${location.origin}/api")
dregs.track("user.signup", identity="user_1", identity_data={"name": "Ada Lovelace", "email": "ada@example.com"})`,Rust:({secretKey:e})=>`// cargo add dregs serde_json; in the environment: DREGS_SECRET_KEY=${e??`sk_…`}
let secret_key = std::env::var("DREGS_SECRET_KEY")?;
let client = dregs::Client::builder().secret_key(secret_key).base_url("${location.origin}/api").build()?;
let ada = serde_json::json!({ "name": "Ada Lovelace", "email": "ada@example.com" });
client.track(dregs::Event::new("user.signup", "user_1").identity_data(ada)).await?;`};export{_ as a,x as i,E as n,S as r,w as t};