import { defineConfig } from "@playwright/test";

/** The gateway under test, started by scripts/test-console.sh. */
const baseURL = process.env.TOLLGATE_URL ?? "http://127.0.0.1:8787";

export default defineConfig({
  testDir: "tests",
  testMatch: "*.spec.ts",
  outputDir: "test-results",
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 45_000,
  expect: { timeout: 8_000 },
  reporter: [["list"], ["json", { outputFile: "test-results/report.json" }]],
  use: {
    baseURL,
    locale: "en-US",
    actionTimeout: 8_000,
    trace: "retain-on-failure",
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
  },
});
