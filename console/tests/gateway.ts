import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** freePort is a loopback port that nothing listens on right now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

/**
 * Gateway is a gateway of a test's own, in a folder of its own: for what the one that all tests share cannot be made to
 * do, such as to stop, or to start without an account.
 */
export class Gateway {
  private running: ChildProcess | null = null;

  private constructor(
    private readonly dir: string,
    private readonly port: number,
    private readonly env: Record<string, string>,
  ) {}

  /** begin starts it with a tollgate.toml and environment variables, and waits until it answers. */
  static async begin(toml: string, env: Record<string, string> = {}): Promise<Gateway> {
    const dir = await mkdtemp(join(tmpdir(), "tollgate-console-"));
    await writeFile(join(dir, "tollgate.toml"), toml);
    const gateway = new Gateway(dir, await freePort(), env);
    await gateway.start();
    return gateway;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get dataDir() {
    return join(this.dir, "data");
  }

  /** log is all that it has printed. */
  log(): Promise<string> {
    return readFile(join(this.dir, "log"), "utf8");
  }

  async start() {
    const binary = process.env.TOLLGATE_BINARY;
    if (!binary) throw new Error("TOLLGATE_BINARY names no binary; scripts/test-console.sh builds one");
    const child = spawn("sh", ["-c", 'exec "$0" --demo >>log 2>&1', binary], {
      cwd: this.dir,
      env: {
        PATH: process.env.PATH,
        HOME: this.dir,
        TOLLGATE_PORT: `${this.port}`,
        TOLLGATE_DATA_DIR: this.dataDir,
        ...this.env,
      },
      stdio: "ignore",
    });
    this.running = child;
    for (let tries = 0; tries < 150; tries++) {
      const answer = await fetch(`${this.url}/healthz`).catch(() => null);
      if (answer?.ok) return;
      if (child.exitCode !== null) break;
      await new Promise((wake) => setTimeout(wake, 200));
    }
    throw new Error(`the gateway does not answer:\n${await this.log()}`);
  }

  async stop() {
    const child = this.running;
    this.running = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  /** end stops it for good and removes its folder. */
  async end() {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
