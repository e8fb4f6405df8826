import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { stopEngine } from "../../infra/local/engines/engine-home.ts";

/**
 * Stops the engine of a home and removes the home when this process is gone, however it went: a broken-off run of the
 * tests leaves no engine behind.
 */
export function endWithMe(home: string): void {
  const watcher = spawn(process.execPath, [import.meta.filename, home], {
    detached: true, // A Ctrl-C must not reach it.
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.unref();
}

/** As a program: waits for the end of its input, which comes when the process that started it ends. */
if (import.meta.main) {
  const home = process.argv[2] ?? "";
  process.stdin.resume().once("end", () => {
    void stopEngine(home).then(() => rm(home, { recursive: true, force: true }));
  });
}
