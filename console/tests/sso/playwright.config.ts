import base from "../../playwright.config";

/** Sign-in through real providers, all started by scripts/test-sso.sh. Browsers reach nothing beyond this machine. */
export default {
  ...base,
  testDir: ".",
  testMatch: "*.flow.ts",
  outputDir: "../../test-results/sso",
  reporter: [["list"], ["json", { outputFile: "../../test-results/sso.json" }]],
  use: {
    ...base.use,
    trace: "off", // it takes longer than the tests
    screenshot: "only-on-failure",
    launchOptions: {
      ...base.use?.launchOptions,
      args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"],
    },
  },
};
