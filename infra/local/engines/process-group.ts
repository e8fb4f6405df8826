import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { runningProcesses } from "./process-table.ts";

/** A group of processes that one program started and that end together. */
export interface ProcessGroup {
  readonly pid: number;
  /** When the leader started; see `ProcessRow`. */
  readonly started: string;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: what stands in ours, keys of the user among it, is not handed on. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Takes what the program prints. */
  readonly logFile: string;
}

/** How long a program gets between being asked to end and being killed. */
const GRACE_MS = 2_000;
const KILL_MS = 5_000;

/** Starts a program as the leader of a process group of its own, which outlives this process. */
export async function startGroup({ command, args, env, cwd, logFile }: Launch): Promise<ProcessGroup> {
  const log = await open(logFile, "w");
  try {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", log.fd, log.fd] });
    await new Promise<void>((settle, fail) => {
      child.once("spawn", settle);
      child.once("error", fail);
    });
    child.unref();
    const pid = child.pid ?? 0;
    const row = (await runningProcesses()).find((process) => process.pid === pid);
    return { pid, started: row?.started ?? "" };
  } finally {
    await log.close();
  }
}

/** Does the leader of the group still run? A process that got its number later does not count. */
export async function leaderRuns({ pid, started }: ProcessGroup): Promise<boolean> {
  return (await runningProcesses()).some((row) => row.pid === pid && row.started === started);
}

/** Ends every process of the group and waits until none is left. */
export async function endGroup(group: ProcessGroup): Promise<void> {
  if (!(await groupRuns(group))) return;
  signalGroup(group.pid, "SIGTERM");
  if (await groupEnds(group, GRACE_MS)) return;
  signalGroup(group.pid, "SIGKILL");
  if (!(await groupEnds(group, KILL_MS))) {
    throw new Error(`process group ${group.pid} does not end though it was killed; look at it with ps -g`);
  }
}

async function groupEnds(group: ProcessGroup, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (await groupRuns(group)) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

async function groupRuns({ pid, started }: ProcessGroup): Promise<boolean> {
  const members = (await runningProcesses()).filter((row) => row.group === pid);
  const leader = members.find((row) => row.pid === pid);
  // While a group lives, the kernel gives its number to no other process. So another leader means another group, and
  // members without a leader are those that ours left behind.
  return members.length > 0 && (leader === undefined || leader.started === started);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It ended in between.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
