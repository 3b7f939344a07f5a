import base from "../playwright.config";

export default { ...base, testDir: ".", testMatch: "screenshots.ts", outputDir: "../test-results", reporter: "list" };
