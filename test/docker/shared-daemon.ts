import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endDaemon, RUN_FOLDER } from "./daemon.ts";

/**
 * Names a folder for the daemon that the test files of this run share. The daemon goes with the run, also with one
 * that is broken off: a program that outlives it watches.
 */
export function sharedDaemon(): AsyncDisposable {
  const folder = mkdtempSync(join(tmpdir(), "gymline-docker-"));
  process.env[RUN_FOLDER] = folder;
  const watcher = spawn(process.execPath, [import.meta.filename, folder], {
    detached: true, // A Ctrl-C must not reach it.
    stdio: ["pipe", "ignore", "inherit"],
  });
  return {
    [Symbol.asyncDispose]: async () => {
      watcher.stdin.end();
      await once(watcher, "exit");
    },
  };
}

/** As a program: waits for the end of its input, which comes when the run ends. */
if (import.meta.main) {
  const folder = process.argv[2] ?? "";
  process.stdin.resume().once("end", () => void endDaemon(folder));
}
