import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { UnmappedImageError } from "./errors.ts";
import type { AttemptOrder, Executor, Exit, PreparedAttempt, RunningAttempt } from "./executor.ts";
import { lookUpImage } from "./image-table.ts";
import { processStart, signalGroup } from "./process-identity.ts";

interface Setting {
  /** Program and first arguments that stand for an image; like an ENTRYPOINT, the command follows them. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  /** What every process gets, PATH and HOME as a rule; nothing else is inherited. */
  readonly baseEnvironment: Readonly<Record<string, string>>;
  /** Each attempt gets an empty folder in here to work in, which goes when it ends. */
  readonly workFolder: string;
}

/** Waits for a line before it becomes the program; the end of its input, as when the runner dies, ends it. */
const GATE = 'read -r _ && exec "$@" </dev/null';

const handleSchema = z.object({ pid: z.number().int().positive(), start: z.string().nullable() });

/**
 * Runs attempts as plain processes, for machines without Docker. Not a sandbox: memory, vCPUs and ulimits are
 * counted for scheduling only, and user, mounts and the other properties of a container have no effect. After the
 * runner's death nobody can learn how an attempt ended, so one found then is killed and counts as lost.
 */
export class ProcessExecutor implements Executor {
  private readonly setting: Setting;

  constructor(setting: Setting) {
    this.setting = setting;
  }

  async prepare(order: AttemptOrder): Promise<PreparedAttempt> {
    const { programs, baseEnvironment, workFolder } = this.setting;
    const { container, definitionName, environment, logFile, taskId } = order;
    const program = lookUpImage(programs, { image: container.image, definitionName });
    if (program === undefined) throw new UnmappedImageError(container.image);
    const words = [...program, ...container.command];
    if (words.length === 0) throw new UnmappedImageError(container.image);
    const cwd = join(workFolder, taskId);
    mkdirSync(cwd, { recursive: true });
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, "w");
    try {
      const env = { ...baseEnvironment, ...environment };
      const child = spawn("/bin/sh", ["-c", GATE, "sh", ...words], {
        ...{ cwd, env },
        detached: true,
        stdio: ["pipe", log, log],
      });
      const pid = await pidOf(child);
      const running = attemptOf(child, pid, () => removeFolder(cwd));
      return {
        handle: JSON.stringify({ pid, start: processStart(pid) }),
        begin: async () => {
          child.stdin?.end("\n");
          return running;
        },
      };
    } finally {
      closeSync(log);
    }
  }

  async recover(handle: string): Promise<null> {
    const { pid, start } = handleSchema.parse(JSON.parse(handle));
    const now = processStart(pid);
    // The leader may be gone while its children live on: then no other process can have the group's id.
    if (now === null || now === start) signalGroup(pid, "SIGKILL");
    return null;
  }

  async clear(): Promise<void> {
    rmSync(this.setting.workFolder, { recursive: true, force: true });
  }
}

/** A process that was just killed may still hold on to it; what stays goes at the next start. */
function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // See above.
  }
}

function pidOf(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("spawn", () => resolve(child.pid ?? 0));
  return promise;
}

function attemptOf(child: ChildProcess, pid: number, cleanUp: () => void): RunningAttempt {
  const { promise: ended, resolve } = Promise.withResolvers<Exit>();
  let killer: NodeJS.Timeout | undefined;
  // It may be gone before it reads its line.
  child.stdin?.on("error", () => undefined);
  child.once("exit", (code, signal) => {
    clearTimeout(killer);
    // What it started must not outlive it, as in a container.
    signalGroup(pid, "SIGKILL");
    cleanUp();
    resolve({ kind: "exited", exitCode: code ?? 128 + constants.signals[signal ?? "SIGKILL"] });
  });
  return {
    ended,
    stop: (graceSeconds) => {
      if (killer !== undefined) return;
      signalGroup(pid, "SIGTERM");
      killer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceSeconds * 1000);
    },
  };
}
