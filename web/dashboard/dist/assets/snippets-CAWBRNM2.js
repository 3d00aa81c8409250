import{r as e}from"./rolldown-runtime-XKyaHtl9.js";import{Ci as t,Gn as n,I as r,Rn as i,Tr as a,_n as o,dt as s,it as c,lt as l,wn as u,xn as d,zn as f}from"./shared-JCWW_hEc.js";import{a as p}from"./index-BkulVQlc.js";var m=e(t(),1),h=a(),g=5e3;function _(){let{manage:e}=p(),t={enabled:e,refetchInterval:g},n=c.useQuery(`get`,`/api/credentials/refused-origins`,void 0,t),r=(c.useQuery(`get`,`/api/credentials`,void 0,{enabled:e}).data??[]).filter(e=>e.enabled);return n.data?.length?(0,h.jsx)(f,{color:`orange`,title:`Pages of these origins were refused: no credential allows them`,children:(0,h.jsx)(o,{gap:`sm`,children:n.data.map(e=>(0,h.jsx)(v,{refused:e,credentials:r},`${e.origin} ${e.credentialId??``}`))})}):null}function v({refused:{origin:e,credentialId:t,count:a,lastSeenAt:o,canBeAllowed:s},credentials:c}){let l=c.find(({id:e})=>e===t);return(0,h.jsxs)(n,{gap:`sm`,justify:`space-between`,children:[(0,h.jsxs)(i,{fz:`sm`,component:`div`,miw:0,children:[(0,h.jsx)(`strong`,{className:`mono break`,children:s?e:`no origin (null)`}),l&&(0,h.jsxs)(h.Fragment,{children:[`, with the key of `,l.name]}),`: `,a===1?`one request`:`${a.toLocaleString(`en`)} requests`,`, the last `,(0,h.jsx)(r,{at:o}),!s&&(0,h.jsx)(h.Fragment,{children:`. Local files and sandboxed frames have no origin: serve the page over http.`})]}),s&&(0,h.jsx)(y,{origin:e,credentials:l?[l]:c})]})}function y({origin:e,credentials:t}){let[r,i]=(0,m.useState)(),a=t.find(({id:e})=>String(e)===r)??t[0],o=c.useMutation(`patch`,`/api/credentials/{id}`,{onSuccess:async({name:t})=>{s(`Pages of ${e} may send events with the public key of ${t}.`),await l(`/api/credentials`)}});return a?(0,h.jsxs)(n,{gap:`xs`,wrap:`nowrap`,children:[t.length>1&&(0,h.jsx)(d,{size:`xs`,"aria-label":`Credential for ${e}`,value:String(a.id),data:t.map(({id:e,name:t})=>({value:String(e),label:t})),onChange:e=>i(e.currentTarget.value)}),(0,h.jsx)(u,{size:`xs`,loading:o.isPending,onClick:()=>o.mutate({params:{path:{id:a.id}},body:{allowedOrigins:[...a.allowedOrigins,e]}}),"aria-label":`Allow ${e}`,children:`Allow`})]}):null}var b=`pk_…`;function x(e){return`<script>window.dregs = window.dregs || function () { (dregs.q = dregs.q || []).push(arguments) }<\/script>
<script async src="${location.origin}/dregs.js"><\/script>
<script>
  dregs('init', { key: '${e??b}' })
  dregs('identify', 'user_1', { email: 'ada@example.com' })   // once you know who it is
  dregs('track', 'purchase', { total: 12 })
<\/script>`}var S=`http://127.0.0.1:8080`;function C(e){return`${e===void 0?``:`DREGS_SECRET_KEY=${e} `}dregs listen${location.origin===S?``:` --server ${location.origin}`}`}var w=`{ "name": "Ada Lovelace", "email": "ada@example.com" }`,T=`Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0`;function E(e){return`export DREGS_SECRET_KEY=${e??`sk_…`}
curl ${location.origin}/api/events \\
  -H "Authorization: Bearer $DREGS_SECRET_KEY" -H 'Content-Type: application/json' \\
  -d '{"type": "user.signup", "identity": {"id": "user_1", "data": ${w}},
       "ip": "203.0.113.20", "userAgent": "${T}"}'`}var D={ip:`203.0.113.99`,userAgent:`python-requests/2.32`,device:{fingerprint:`example-script`}},O=[{type:`user.signup`,identity:{id:`example_ada`,data:{name:`Ada Lovelace`,email:`ada@lovelace.org`}},ip:`203.0.113.20`,userAgent:T,device:{fingerprint:`example-laptop`}},...[`Qwrt Zxcv`,`Asdf Hjkl`,`Poiu Mnbv`].map((e,t)=>({type:`user.signup`,identity:{id:`example_bot_${t+1}`,data:{name:e,email:`qwrtzx${t+1}@mailinator.com`}},...D}))];function k(e){return`curl ${location.origin}/api/events/batch \\
  -H "Authorization: Bearer ${e??`$DREGS_SECRET_KEY`}" -H 'Content-Type: application/json' \\
  -d '[
${O.map(e=>`    ${JSON.stringify(e)}`).join(`,
`)}
  ]'`}var A={curl:({secretKey:e})=>k(e),Browser:({publicKey:e})=>x(e),TypeScript:({secretKey:e})=>`// Node.js 18 or newer, in a module.
// In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
const answer = await fetch("${location.origin}/api/events", {
  method: "POST",
  headers: { Authorization: \`Bearer \${process.env.DREGS_SECRET_KEY}\`, "Content-Type": "application/json" },
  body: JSON.stringify({
    type: "user.signup",
    identity: { id: "user_1", data: ${w} },
    ip: "203.0.113.20", // of the user, not of your backend
    userAgent: "${T}", // likewise
  }),
});
if (!answer.ok) throw new Error(await answer.text());`,Python:({secretKey:e})=>`# pip install dregs
# In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
import os

from dregs import Dregs

dregs = Dregs(os.environ["DREGS_SECRET_KEY"], base_url="${location.origin}/api")
dregs.track("user.signup", identity="user_1", identity_data=${w})`,Rust:({secretKey:e})=>`// cargo add dregs serde_json tokio --features tokio/full
// In the environment: DREGS_SECRET_KEY=${e??`sk_…`}
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret_key = std::env::var("DREGS_SECRET_KEY")?;
    let client = dregs::Client::builder().secret_key(secret_key).base_url("${location.origin}/api").build()?;
    let ada = serde_json::json!(${w});
    client.track(dregs::Event::new("user.signup", "user_1").identity_data(ada)).await?;
    Ok(())
}`};export{x as a,C as i,A as n,_ as o,E as r,O as t};