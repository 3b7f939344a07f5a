import{X as e,m as t,q as n}from"./shim-BUQMAqlz.js";import{t as r}from"./Tabs-1mePth_x.js";import{o as i}from"./createReactComponent-DuRvDiPh.js";import{t as a}from"./Select-Q2h1XAWS.js";import{i as o}from"./problem-C1IkuF6W.js";import{n as s,t as c}from"./key-menu-Y1f_jeMZ.js";import{t as l}from"./client-CYcjwg3Q.js";import{r as u}from"./action-8WSJP3QK.js";import{t as d}from"./rows-DKC1MyQc.js";import{t as f}from"./code-Rbdj-FDz.js";var p=e(n(),1),m=[{name:`curl`,text:(e,t,n)=>`curl ${e}/v1/chat/completions \\
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
gemini --model ${n}`}],h=t();function g({secret:e}){let{t}=i(`keys`),{data:n=[]}=l.useQuery(`post`,`/user/models`,{body:{}}),s=(n??[]).flatMap(({id:e})=>e??[]),[c,u]=(0,p.useState)(null),d=c??s[0]??`MODEL`;return(0,h.jsxs)(o,{gap:`sm`,children:[s.length>0&&(0,h.jsx)(a,{label:t(`model`),data:s,value:d,onChange:u,searchable:!0,allowDeselect:!1,maw:320}),(0,h.jsxs)(r,{defaultValue:m[0]?.name,variant:`pills`,children:[(0,h.jsx)(r.List,{"aria-label":t(`tryIt`),mb:`sm`,children:m.map(({name:e})=>(0,h.jsx)(r.Tab,{value:e,children:e},e))}),m.map(({name:t,text:n})=>(0,h.jsx)(r.Panel,{value:t,children:(0,h.jsx)(f,{text:n(window.location.origin,e,d),label:t})},t))]})]})}var _=3600,v=[`/user/keys`,`/admin/user-keys`],y={query:`/user/keys/query`,enable:`/user/keys/update-enabled`,rotate:`/user/keys/rotate`,remove:`/user/keys/delete`},b={query:`/admin/user-keys/query`,enable:`/admin/user-keys/update-enabled`,rotate:`/admin/user-keys/rotate`,remove:`/admin/user-keys/delete`};function x(e){let{t}=i(`keys`),{t:n}=i(`common`),r=e===void 0?y:b,[a,o]=(0,p.useState)(null),[l,f]=(0,p.useState)(`-created_at`),m=d(r.query,{...e!==void 0&&{user_id:{eq:e}},sort:l}),g=u(r.enable,{stale:v,done:t(`changed`)}).mutate,x=u(r.rotate,{stale:v}).mutate,S=u(r.remove,{stale:v,done:t(`deleted`)}).mutate;return{list:m,columns:(0,p.useMemo)(()=>s(t,e=>(0,h.jsx)(c,{row:e,setEnabled:t=>g({id:e.id,enabled:t}),rotate:()=>x({id:e.id,overlap_secs:_},{onSuccess:({api_key:e})=>o(e)}),remove:()=>S({id:e.id})}),n(`actions`)),[t,n,g,x,S]),sort:l,setSort:f,secret:a,setSecret:o}}export{x as n,g as r,v as t};