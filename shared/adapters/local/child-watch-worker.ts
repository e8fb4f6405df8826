import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { lockStore, StoreBusyError } from "./run-lock.ts";

/*
 * The program of `ChildWatch`, which tells it of groups of processes: `+<id>` before one begins, `-<id>` once it has
 * ended. Its input ends with the process that started it, however that ends; then what is left of the groups is told to
 * end by SIGTERM, which lets a training save, and later by SIGKILL.
 * With a file as its argument it holds that as a lock for as long as it runs. It says `ready` once it has it.
 */

const LOOK_MS = 100;
/** As AWS Batch does. */
const GRACE_MS = 30_000;

// Held until the end: what nobody holds any more, the collector of garbage closes.
const lock = await locked(process.argv[2]);
process.stdout.write("ready\n");
const groups = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const id = Number(line.slice(1));
  if (line.startsWith("+")) groups.add(id);
  else groups.delete(id);
}
await endAll();
lock?.release();

async function locked(file: string | undefined): Promise<ReturnType<typeof lockStore> | undefined> {
  while (file !== undefined) {
    try {
      return lockStore(file, file);
    } catch (error) {
      if (!(error instanceof StoreBusyError)) throw error;
    }
    await sleep(LOOK_MS);
  }
  return undefined;
}

async function endAll(): Promise<void> {
  for (const id of groups) signal(id, "SIGTERM");
  const deadline = performance.now() + GRACE_MS;
  while (left() && performance.now() < deadline) await sleep(LOOK_MS);
  for (const id of groups) signal(id, "SIGKILL");
}

function left(): boolean {
  for (const id of groups) if (!signal(id, 0)) groups.delete(id);
  return groups.size > 0;
}

/** Whether the group is there. */
function signal(id: number, name: "SIGTERM" | "SIGKILL" | 0): boolean {
  try {
    process.kill(-id, name);
    return true;
  } catch {
    return false;
  }
}
