import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/**
 * Sees to it that programs end when this process does, even if it is killed: a process beside it then ends them. It is
 * there only while there is something to watch.
 */
export class ChildWatch {
  readonly #lock: string | undefined;
  #worker: Promise<ChildProcess> | undefined;
  #holders = 0;

  /** `lock`: a file; nothing is watched before what another process left under the same lock has ended. */
  constructor(lock: string | undefined) {
    this.#lock = lock;
  }

  /** To be called before a program begins. Each call is followed by one of `release`, whether it rejects or not. */
  async hold(group?: number): Promise<void> {
    this.#holders += 1;
    this.#worker ??= startWorker(this.#lock);
    const worker = await this.#worker;
    if (group !== undefined) worker.stdin?.write(`+${group}\n`);
  }

  release(group?: number): void {
    this.#holders -= 1;
    const worker = this.#worker;
    const isLast = this.#holders === 0;
    if (isLast) this.#worker = undefined;
    worker?.then(
      ({ stdin }) => {
        if (group !== undefined) stdin?.write(`-${group}\n`);
        if (isLast) stdin?.end();
      },
      // Whoever holds it was told.
      () => undefined,
    );
  }
}

async function startWorker(lock: string | undefined): Promise<ChildProcess> {
  // The entry has the ending of this file: `.ts` in the repository, `.js` in the package.
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const entry = fileURLToPath(new URL(`./child-watch-worker.${ending}`, import.meta.url));
  const worker = spawn(process.execPath, [entry, ...(lock === undefined ? [] : [lock])], {
    detached: true, // A Ctrl-C must not reach it.
    stdio: ["pipe", "pipe", "ignore"],
  });
  // Where somebody killed it, the programs go on unwatched.
  worker.stdin.on("error", () => undefined);
  const ready = once(worker.stdout, "data");
  const gone = once(worker, "exit").then(() => {
    throw new Error("what ends the programs with this process could not be started");
  });
  await Promise.race([ready, gone]);
  worker.stdout.destroy();
  worker.unref();
  return worker;
}
