import{X as e,m as t,q as n}from"./shim-BUQMAqlz.js";import{t as r}from"./Tabs-MH8uL4ua.js";import{o as i}from"./createReactComponent-DuRvDiPh.js";import{t as a}from"./Select-Da43u4ae.js";import{i as o}from"./problem-C1IkuF6W.js";import{t as s}from"./TagsInput-GQbHx1zS.js";import{t as c}from"./Fieldset-B90-6Nzf.js";import{t as l}from"./NumberInput-QusS6d7g.js";import{t as u}from"./SimpleGrid-CzKdoQ4U.js";import{t as d}from"./TextInput-XS6ZGj1Q.js";import{t as f}from"./client-CYcjwg3Q.js";import{t as p}from"./use-form-omENavV4.js";import{r as m}from"./action-8XUu2bnP.js";import{t as h}from"./rows-DoixKLmr.js";import{t as g}from"./code-B1H0iRoq.js";import{t as _}from"./form-drawer-z24rvmiP.js";import{i as v,r as y,t as b}from"./key-menu-CkE9hhRj.js";var x=t(),S=[`day`,`week`,`month`,`total`],C={label:``,expires_at:``,models:[],ip_allow:[],on_leave:`cancel`,quotas:{day:``,week:``,month:``,total:``}};function w(e){let t=new Date(e);return new Date(t.getTime()-t.getTimezoneOffset()*6e4).toISOString().slice(0,10)}function T(e){let t={...C.quotas};for(let{window:n,quota:r}of e.quotas??[])r!==null&&(t[n]=r);return{label:e.label,expires_at:e.expires_at?w(e.expires_at):``,models:e.models??[],ip_allow:e.ip_allow??[],on_leave:e.on_leave||`cancel`,quotas:t}}function E({row:e,path:t,stale:n,close:r}){let{t:o}=i(`keys`),{t:f}=i(`common`),h=p({initialValues:C}),g=m(t,{stale:n,done:o(`changed`),quiet:!0});return(0,x.jsxs)(_,{title:e?o(`editTitle`,{label:v(e,o)}):``,opened:e!==null,onClose:r,form:h,begin:()=>e?T(e):C,submit:f(`save`),onSubmit:t=>{if(!e)return Promise.resolve();let n=e.expires_at?w(e.expires_at):``;return g.mutateAsync({id:e.id,label:t.label,models:t.models,ip_allow:t.ip_allow,on_leave:t.on_leave,...t.expires_at!==n&&{expires_at:t.expires_at?new Date(`${t.expires_at}T23:59:59`).toISOString():null},quotas:S.flatMap(e=>t.quotas[e]===``?[]:[{window:e,quota:Number(t.quotas[e])}])})},children:[(0,x.jsx)(d,{label:o(`label`),description:o(`labelHint`),"data-autofocus":!0,...h.getInputProps(`label`)}),(0,x.jsx)(d,{type:`date`,label:o(`expires`),description:o(`expiresHint`),...h.getInputProps(`expires_at`)}),(0,x.jsx)(s,{label:o(`models`),description:o(`modelsHint`),...h.getInputProps(`models`)}),(0,x.jsx)(s,{label:o(`addresses`),description:o(`addressesHint`),...h.getInputProps(`ip_allow`)}),(0,x.jsx)(a,{label:o(`onLeave`),description:o(`onLeaveHint`),allowDeselect:!1,data:[{value:`cancel`,label:o(`onLeaves.cancel`)},{value:`drain`,label:o(`onLeaves.drain`)}],...h.getInputProps(`on_leave`)}),(0,x.jsx)(c,{legend:o(`budget`),children:(0,x.jsx)(u,{cols:2,children:S.map(e=>(0,x.jsx)(l,{label:o(`windows.${e}`),placeholder:o(`noBudget`),prefix:`$ `,min:0,decimalScale:9,...h.getInputProps(`quotas.${e}`)},e))})})]})}var D=e(n(),1),O=[{name:`curl`,text:(e,t,n)=>`curl ${e}/v1/chat/completions \\
  -H "Authorization: Bearer ${t}" \\
  -H "Content-Type: application/json" \\
  -d '{"model":"${n}","messages":[{"role":"user","content":"Hello!"}]}'`},{name:`OpenAI SDK`,text:(e,t,n)=>`from openai import OpenAI

client = OpenAI(base_url="${e}/v1", api_key="${t}")
answer = client.chat.completions.create(
    model="${n}",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)`},{name:`Anthropic SDK`,text:(e,t,n)=>`from anthropic import Anthropic

client = Anthropic(base_url="${e}", api_key="${t}")
answer = client.messages.create(
    model="${n}",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.content[0].text)`},{name:`Gemini SDK`,text:(e,t,n)=>`from google import genai
from google.genai import types

client = genai.Client(
    api_key="${t}",
    http_options=types.HttpOptions(base_url="${e}"),
)
answer = client.models.generate_content(model="${n}", contents="Hello!")
print(answer.text)`},{name:`Claude Code`,text:(e,t,n)=>`export ANTHROPIC_BASE_URL=${e}
export ANTHROPIC_API_KEY=${t}
export ANTHROPIC_MODEL=${n}
claude`},{name:`Codex`,text:(e,t,n)=>`# ~/.codex/config.toml
model = "${n}"
model_provider = "tollgate"

[model_providers.tollgate]
name = "Tollgate"
base_url = "${e}/v1"
env_key = "TOLLGATE_API_KEY"
wire_api = "responses"

# in the terminal
# export TOLLGATE_API_KEY=${t}
# codex`},{name:`Gemini CLI`,text:(e,t,n)=>`export GOOGLE_GEMINI_BASE_URL=${e}
export GEMINI_API_KEY=${t}
gemini --model ${n}`}];function k({secret:e}){let{t}=i(`keys`),{data:n=[]}=f.useQuery(`post`,`/user/models`,{body:{}}),s=(n??[]).flatMap(({id:e})=>e??[]),[c,l]=(0,D.useState)(null),u=c??s[0]??`MODEL`;return(0,x.jsxs)(o,{gap:`sm`,children:[s.length>0&&(0,x.jsx)(a,{label:t(`model`),data:s,value:u,onChange:l,searchable:!0,allowDeselect:!1,maw:320}),(0,x.jsxs)(r,{defaultValue:O[0]?.name,variant:`pills`,children:[(0,x.jsx)(r.List,{"aria-label":t(`tryIt`),mb:`sm`,children:O.map(({name:e})=>(0,x.jsx)(r.Tab,{value:e,children:e},e))}),O.map(({name:t,text:n})=>(0,x.jsx)(r.Panel,{value:t,children:(0,x.jsx)(g,{text:n(window.location.origin,e,u),label:t})},t))]})]})}var A=3600,j=[`/user/keys`,`/admin/user-keys`],M={query:`/user/keys/query`,enable:`/user/keys/update-enabled`,rotate:`/user/keys/rotate`,remove:`/user/keys/delete`},N={query:`/admin/user-keys/query`,enable:`/admin/user-keys/update-enabled`,rotate:`/admin/user-keys/rotate`,remove:`/admin/user-keys/delete`};function P(e){let{t}=i(`keys`),{t:n}=i(`common`),r=e===void 0?M:N,[a,o]=(0,D.useState)(null),[s,c]=(0,D.useState)(null),[l,u]=(0,D.useState)(`-created_at`),d=h(r.query,{...e!==void 0&&{user_id:{eq:e}},sort:l}),f=m(r.enable,{stale:j,done:t(`changed`)}).mutate,p=m(r.rotate,{stale:j}).mutate,g=m(r.remove,{stale:j,done:t(`deleted`)}).mutate;return{list:d,columns:(0,D.useMemo)(()=>y(t,e=>(0,x.jsx)(b,{row:e,edit:()=>c(e),setEnabled:t=>f({id:e.id,enabled:t}),rotate:()=>p({id:e.id,overlap_secs:A},{onSuccess:({api_key:e})=>o(e)}),remove:()=>g({id:e.id})}),n(`actions`)),[t,n,f,p,g]),sort:l,setSort:u,secret:a,setSecret:o,editing:s,setEditing:c}}export{E as i,P as n,k as r,j as t};