import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { runningProcesses } from "../../infra/local/engines/process-table.ts";
import { withLock } from "../../infra/local/folder-lock.ts";

/** A Docker daemon of the tests, all of whose data lies in one folder. */
export interface Daemon {
  readonly socketPath: string;
  close(): Promise<void>;
}

/** The variable that names the folder of the daemon that a run of the tests has in common. */
export const RUN_FOLDER = "GYMLINE_TEST_DOCKER";
const PATIENCE_MS = 60_000;

/**
 * The daemon that all test files of a run share, so that an image is made once and not by each of them: the first
 * file that asks starts it, the run ends it. Undefined outside of such a run.
 */
export async function daemonOfRun(): Promise<Daemon | undefined> {
  const folder = process.env[RUN_FOLDER];
  if (folder === undefined) return undefined;
  return withLock(join(folder, "lock"), async () => {
    const socketPath = socketOf(folder);
    if (!(await answers(socketPath))) await startDaemon(folder);
    return { socketPath, close: async () => undefined };
  });
}

/** Starts a daemon that outlives this process; closing it removes its folder. */
export async function startDaemon(folder: string): Promise<Daemon> {
  const socketPath = socketOf(folder);
  const log = join(folder, "dockerd.log");
  const output = openSync(log, "w");
  const args = [
    ...["--host", `unix://${socketPath}`, "--pidfile", pidFileOf(folder)],
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
    // Tests need no networks but the host's, so it leaves those of the machine alone.
    ...["--bridge", "none", "--iptables=false"],
  ];
  const daemon = spawn("dockerd", args, { stdio: ["ignore", output, output], detached: true });
  daemon.unref();
  let isGone = false;
  daemon.once("exit", () => {
    isGone = true;
  });
  const patience = Date.now() + PATIENCE_MS;
  while (!(await answers(socketPath))) {
    if (isGone || Date.now() > patience) {
      const tail = execFileSync("tail", ["-n", "5", log], { encoding: "utf8" });
      await endDaemon(folder);
      throw new Error(`dockerd does not come up: ${tail}`);
    }
    await delay(100);
  }
  return { socketPath, close: () => endDaemon(folder) };
}

/** Ends the daemon of a folder, if one runs there, and removes the folder. */
export async function endDaemon(folder: string): Promise<void> {
  const pidFile = pidFileOf(folder);
  if (existsSync(pidFile)) {
    const pid = Number(readFileSync(pidFile, "utf8"));
    const patience = Date.now() + PATIENCE_MS;
    if (await runs(pid)) process.kill(pid, "SIGTERM");
    while ((await runs(pid)) && Date.now() < patience) await delay(50);
    if (await runs(pid)) process.kill(pid, "SIGKILL");
  }
  // It leaves the mount of its network namespace behind.
  for (const path of mountsIn(folder)) spawnSync("umount", [path]);
  rmSync(folder, { recursive: true, force: true });
}

/** Whether a daemon listens at a socket. */
export async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  return new Docker({ socketPath, timeout: 5_000 }).ping().then(
    () => true,
    () => false,
  );
}

function socketOf(folder: string): string {
  return join(folder, "docker.sock");
}

function pidFileOf(folder: string): string {
  return join(folder, "dockerd.pid");
}

async function runs(pid: number): Promise<boolean> {
  return (await runningProcesses()).some((row) => row.pid === pid);
}

function mountsIn(folder: string): readonly string[] {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  return mounts.map((line) => line.split(" ")[1] ?? "").filter((path) => path.startsWith(`${folder}/`));
}
