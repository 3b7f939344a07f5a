// Prints how the list of requests does with a long record: makes the calls
// first (REQUESTS of them, 100,000 unless said), then scrolls the list and
// filters it. Figures are printed, never judged.
import { Agent, request } from "node:http";
import { chromium } from "@playwright/test";

const { TOLLGATE_URL: url, TOLLGATE_PASSWORD: password } = process.env;
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const wanted = Number(process.env.REQUESTS ?? 100_000);
const workers = 32;

/** call sends one request; every tenth is told to fail. */
function call(agent, key, n) {
  const content = n % 10 === 0 ? "[[demo:status=503]]" : "[[demo:tokens=3]] Hello!";
  const body = JSON.stringify({ model: n % 3 ? "demo-small" : "demo-large", messages: [{ role: "user", content }] });
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/chat/completions`, { method: "POST", agent, headers }, (answer) => {
      answer.resume().on("end", resolve).on("error", reject);
    });
    sent.on("error", reject).end(body);
  });
}

async function fill(key) {
  const agent = new Agent({ keepAlive: true, maxSockets: workers });
  let made = 0;
  const work = async () => {
    while (made < wanted) await call(agent, key, made++);
  };
  await Promise.all(Array.from({ length: workers }, work));
  agent.destroy();
}

/** scroll moves the list on in every frame for some seconds and returns how long each frame took, in milliseconds, and how far it came. */
function scroll(page, seconds) {
  return page.evaluate(async (seconds) => {
    const list = document.querySelector("section[tabindex]");
    const frames = [];
    const end = performance.now() + seconds * 1000;
    for (let last = performance.now(); last < end; ) {
      list.scrollTop += 240;
      const now = await new Promise((drawn) => requestAnimationFrame(() => drawn(performance.now())));
      frames.push(now - last);
      last = now;
    }
    return { frames, rows: Number(document.querySelector("table[aria-rowcount]").getAttribute("aria-rowcount")) - 1 };
  }, seconds);
}

/** filter chooses a status and returns the milliseconds from the click until the rows are those that were asked for. */
async function filter(page, option, shown) {
  await page.getByRole("combobox", { name: "Status" }).click();
  const choice = page.getByRole("option", { name: option });
  await choice.waitFor();
  return choice.evaluate(async (node, shown) => {
    const begun = performance.now();
    node.click();
    const right = () => {
      const rows = [...document.querySelectorAll("tbody tr[data-index]")].slice(0, 10);
      return rows.length > 0 && rows.every((row) => row.textContent.includes(shown));
    };
    while (!right()) await new Promise(requestAnimationFrame);
    return performance.now() - begun;
  }, shown);
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, locale: "en-US" });
const post = async (path, data) => (await page.request.post(url + path, { data })).json();
await post("/login", { username: "admin", password });
const begun = Date.now();
await fill((await post("/user/keys/generate", { label: "many" })).api_key);
const { count } = await post("/admin/requests/count", {});
console.log(`${count} requests on record, the last ${wanted} of them made in ${Math.round((Date.now() - begun) / 1000)} s`);
await page.goto(`${url}/console/admin/requests`);
await page.locator('tr[data-index="0"]').waitFor();
const { frames, rows } = await scroll(page, 20);
frames.sort((a, b) => a - b);
const long = frames.filter((ms) => ms > 50).length;
console.log(
  `scrolled through ${rows} rows in ${frames.length} frames: median ${frames[frames.length >> 1].toFixed(0)} ms, ` +
    `99 % within ${frames[Math.floor(frames.length * 0.99)].toFixed(0)} ms, longest ${frames.at(-1).toFixed(0)} ms, ${((100 * long) / frames.length).toFixed(1)} % over 50 ms`,
);
await page.goto(`${url}/console/admin/requests`);
await page.locator('tr[data-index="0"]').waitFor();
for (const [option, shown] of [
  ["Failed (5xx)", "503"],
  ["Succeeded", "200"],
]) {
  console.log(`filter "${option}": rows after ${(await filter(page, option, shown)).toFixed(0)} ms`);
}
await browser.close();
