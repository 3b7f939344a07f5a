// Prints how fast and how sound the console's first pages are: Lighthouse on the
// desktop preset, what the first load weighs, and when the page answers on a
// throttled profile (4x CPU, fast 3G). Figures are printed, never judged.
import { chromium } from "@playwright/test";

const { TOLLGATE_URL: url, TOLLGATE_PASSWORD: password } = process.env;
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const port = 9333;
const pages = {
  "sign-in": "/console/sign-in",
  home: "/console/",
  users: "/console/admin/users",
  requests: "/console/admin/requests",
};
const fast3G = {
  offline: false,
  latency: 562.5,
  downloadThroughput: (1.44 * 1024 * 1024) / 8,
  uploadThroughput: (675 * 1024) / 8,
};

async function signIn(page) {
  const answer = await page.request.post(`${url}/login`, { data: { username: "admin", password } });
  if (!answer.ok()) throw new Error(`sign-in: ${answer.status()}`);
}

/** throttled opens a page with nothing cached: when its heading is there and the main thread is free, and its bytes. */
async function throttled(browser, path) {
  const context = await browser.newContext();
  const page = await context.newPage();
  if (path !== pages["sign-in"]) await signIn(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", fast3G);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const begun = Date.now();
  await page.goto(url + path, { waitUntil: "commit" });
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.evaluate(() => new Promise((free) => requestIdleCallback(free)));
  const seconds = (Date.now() - begun) / 1000;
  await page.waitForTimeout(3000); // what the page asks for once it stands
  const bytes = await page.evaluate(() =>
    [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce(
      (n, e) => n + e.transferSize,
      0,
    ),
  );
  await context.close();
  return { seconds, bytes };
}

/** changes walks between pages that have been seen: milliseconds from the click to the new page's heading and rows. */
async function changes(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await signIn(page);
  const walk = ["/console/admin/users", "/console/admin/requests", "/console/keys", "/console/"];
  await page.goto(`${url}/console/`);
  const times = [];
  for (let round = 0; round < 5; round++) {
    for (const path of walk) {
      await page.locator(`nav a[href="${path}"]`).first().waitFor();
      times.push([round, await page.evaluate(change, path)]);
      await page.waitForTimeout(700);
    }
  }
  await context.close();
  const warm = times.flatMap(([round, ms]) => (round > 0 ? [ms] : [])).sort((a, b) => a - b);
  return { median: warm[warm.length >> 1], longest: warm.at(-1) };
}

/** change runs in the page: it clicks the link and waits until another heading has been drawn and nothing is a skeleton. */
function change(path) {
  return new Promise((done) => {
    const before = document.querySelector("h1");
    const begun = performance.now();
    document.querySelector(`nav a[href="${path}"]`).click();
    const look = () => {
      const heading = document.querySelector("h1");
      const whole = heading && heading !== before && !document.querySelector("main .mantine-Skeleton-root");
      if (whole) requestAnimationFrame(() => done(performance.now() - begun));
      else requestAnimationFrame(look);
    };
    look();
  });
}

async function lighthouse(context, path) {
  const { default: run, desktopConfig } = await import("lighthouse");
  if (path === pages["sign-in"]) await context.clearCookies();
  else await signIn(await context.newPage());
  const result = await run(url + path, { port, disableStorageReset: true, logLevel: "error" }, desktopConfig);
  return Object.values(result.lhr.categories).map(({ title, score }) => `${title} ${Math.round(score * 100)}`);
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const [name, path] of Object.entries(pages)) {
  const { seconds, bytes } = await throttled(browser, path);
  console.log(
    `${name}: interactive after ${seconds.toFixed(1)} s at 4x CPU and fast 3G, ${Math.round(bytes / 1000)} kB on the wire`,
  );
}
const { median, longest } = await changes(browser);
console.log(`from page to page with warm data: median ${median.toFixed(0)} ms, longest ${longest.toFixed(0)} ms`);
await browser.close();
const args = ["--no-sandbox", `--remote-debugging-port=${port}`];
const context = await chromium.launchPersistentContext("", { executablePath, args });
for (const [name, path] of Object.entries(pages)) {
  console.log(`${name}: Lighthouse ${(await lighthouse(context, path)).join(", ")}`);
}
await context.close();
