import{X as e,m as t,q as n}from"./shim-BUQMAqlz.js";import{t as r}from"./Tabs-DIIYLdiL.js";import{o as i}from"./createReactComponent-DuRvDiPh.js";import{t as a}from"./Select-Q2h1XAWS.js";import{i as o}from"./problem-C1IkuF6W.js";import{t as s}from"./client-CYcjwg3Q.js";import{r as c}from"./action-Bk86MAB-.js";import{t as l}from"./rows-DKC1MyQc.js";import{t as u}from"./code-m_0syVue.js";import{n as d,t as f}from"./key-menu-CE2u2X7G.js";var p=e(n(),1),m=[{name:`curl`,text:(e,t,n)=>`curl ${e}/v1/chat/completions \\
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
gemini --model ${n}`}],h=t();function g({secret:e}){let{t}=i(`keys`),{data:n=[]}=s.useQuery(`post`,`/user/models`,{body:{}}),c=(n??[]).flatMap(({id:e})=>e??[]),[l,d]=(0,p.useState)(null),f=l??c[0]??`MODEL`;return(0,h.jsxs)(o,{gap:`sm`,children:[c.length>0&&(0,h.jsx)(a,{label:t(`model`),data:c,value:f,onChange:d,searchable:!0,allowDeselect:!1,maw:320}),(0,h.jsxs)(r,{defaultValue:m[0]?.name,variant:`pills`,children:[(0,h.jsx)(r.List,{"aria-label":t(`tryIt`),mb:`sm`,children:m.map(({name:e})=>(0,h.jsx)(r.Tab,{value:e,children:e},e))}),m.map(({name:t,text:n})=>(0,h.jsx)(r.Panel,{value:t,children:(0,h.jsx)(u,{text:n(window.location.origin,e,f),label:t})},t))]})]})}var _=3600,v=[`/user/keys`,`/admin/user-keys`],y={query:`/user/keys/query`,enable:`/user/keys/update-enabled`,rotate:`/user/keys/rotate`,remove:`/user/keys/delete`},b={query:`/admin/user-keys/query`,enable:`/admin/user-keys/update-enabled`,rotate:`/admin/user-keys/rotate`,remove:`/admin/user-keys/delete`};function x(e){let{t}=i(`keys`),{t:n}=i(`common`),r=e===void 0?y:b,[a,o]=(0,p.useState)(null),[s,u]=(0,p.useState)(null),[m,g]=(0,p.useState)(`-created_at`),x=l(r.query,{...e!==void 0&&{user_id:{eq:e}},sort:m}),S=c(r.enable,{stale:v,done:t(`changed`)}).mutate,C=c(r.rotate,{stale:v}).mutate,w=c(r.remove,{stale:v,done:t(`deleted`)}).mutate;return{list:x,columns:(0,p.useMemo)(()=>d(t,t=>(0,h.jsx)(f,{row:t,edit:e===void 0?()=>u(t):void 0,setEnabled:e=>S({id:t.id,enabled:e}),rotate:()=>C({id:t.id,overlap_secs:_},{onSuccess:({api_key:e})=>o(e)}),remove:()=>w({id:t.id})}),n(`actions`)),[t,n,e,S,C,w]),sort:m,setSort:g,secret:a,setSecret:o,editing:s,setEditing:u}}export{x as n,g as r,v as t};