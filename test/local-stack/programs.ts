import { setTimeout as sleep } from "node:timers/promises";

// Programs that stand in for an engine where a test is about how engines are started and ended.
const [program, port] = process.argv.slice(2);

process.stdout.write(`${program} begins as ${process.pid}\n`);
switch (program) {
  /** Answers as an engine does, and has a child that does not want to end. */
  case "server": {
    const { spawn } = await import("node:child_process");
    const { createServer } = await import("node:http");
    spawn(process.execPath, [import.meta.filename, "stubborn"], { stdio: "inherit" });
    createServer((_, response) => response.end("healthy")).listen(Number(port), "127.0.0.1");
    break;
  }
  /** Runs and does not answer. */
  case "silent":
    await sleep(600_000);
    break;
  /** Ends only when it is killed. */
  case "stubborn":
    process.on("SIGTERM", () => process.stdout.write("no\n"));
    process.stdout.write("deaf\n");
    await sleep(600_000);
    break;
  /** Starts a child that holds its output open, and waits for it. */
  case "parent": {
    const { spawnSync } = await import("node:child_process");
    spawnSync(process.execPath, [import.meta.filename, "stubborn"], { stdio: "inherit" });
    break;
  }
  default:
    process.stderr.write("there is no such program\n");
    process.exitCode = 3;
}
