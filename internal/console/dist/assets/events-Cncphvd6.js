function e(e){let t=``;return n=>{let r=(t+n).replaceAll(`\r
`,`
`).split(`

`);t=r.pop()??``;for(let t of r.map(e=>e.split(`
`))){let n=e=>t.filter(t=>t.startsWith(`${e}:`)).map(t=>t.slice(e.length+1).trimStart());e(n(`event`)[0]??``,n(`data`).join(`
`))}}}async function*t(e){let t=e.body?.getReader(),n=new TextDecoder;for(;;){let e=await t?.read();if(!e||e.done)return;yield n.decode(e.value,{stream:!0})}}export{t as n,e as t};