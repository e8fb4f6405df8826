import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import type { JobRequest, JobState, JobStatus, Jobs } from "../../ports/jobs.ts";
import { ChildWatch } from "./child-watch.ts";

/** Waits for a line before it becomes the program; the end of its input, as when this process dies, ends it. */
const GATE = 'read -r _ && exec "$@" </dev/null';

export interface ChildJobsOptions {
  /** The program that runs a job's command: its path and arguments. */
  readonly program: (command: readonly string[]) => {
    readonly path: string;
    readonly args: readonly string[];
  };
  readonly cwd: string;
  /** Folder that each copy's output goes into, as `<job>.<index>.log`. */
  readonly logs: string;
  readonly clock: Clock;
  /** A file: no program begins before those have ended that another process left under the same lock. */
  readonly lock?: string;
}

interface ChildJob {
  readonly request: JobRequest;
  status: JobStatus;
  ended: Promise<void>;
  readonly children: Set<ChildProcess>;
}

/**
 * Jobs as programs on this machine, one child process per copy. They end with this process, even if it is killed, and it
 * knows only its own.
 */
export class ChildJobs implements Jobs {
  readonly #options: ChildJobsOptions;
  readonly #jobs = new Map<string, ChildJob>();
  readonly #watch: ChildWatch;

  constructor(options: ChildJobsOptions) {
    this.#options = options;
    this.#watch = new ChildWatch(options.lock);
    mkdirSync(options.logs, { recursive: true });
  }

  /** Resolves once no program runs any more that a process which was killed has left under the same lock. */
  async alone(): Promise<void> {
    await this.#watch.hold().finally(() => this.#watch.release());
  }

  async submit(request: JobRequest): Promise<{ readonly id: string }> {
    const id = randomUUID();
    const status: JobStatus = {
      id,
      name: request.name,
      state: "SUBMITTED",
      createdAt: this.#options.clock.now(),
      attempts: 0,
    };
    const job: ChildJob = { request, status, ended: Promise.resolve(), children: new Set() };
    this.#jobs.set(id, job);
    job.ended = this.#run(job);
    return { id };
  }

  async describe(ids: readonly string[]): Promise<readonly JobStatus[]> {
    return ids.flatMap((id) => this.#jobs.get(id)?.status ?? []);
  }

  async *list(filter: { readonly state?: JobState; readonly name?: string }): AsyncIterable<JobStatus> {
    for (const { status } of this.#jobs.values()) {
      const wanted = filter.state === undefined || filter.state === status.state;
      if (wanted && (filter.name === undefined || filter.name === status.name)) yield status;
    }
  }

  async cancel(id: string, reason: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    this.#end(job, { state: "FAILED", reason });
    for (const child of job.children) kill(child, "SIGTERM");
  }

  /** Resolves when all jobs so far have ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map(({ ended }) => ended));
  }

  /** Sends a signal to all that runs: SIGTERM lets a training save where it is. */
  stop(signal: NodeJS.Signals): void {
    for (const { children } of this.#jobs.values()) for (const child of children) kill(child, signal);
  }

  /** Where the first copy of a job writes to. */
  logOf(id: string): string {
    return join(this.#options.logs, `${id}.0.log`);
  }

  async #run(job: ChildJob): Promise<void> {
    for (const id of job.request.dependsOn ?? []) {
      const before = this.#jobs.get(id);
      await before?.ended;
      if (before?.status.state === "FAILED")
        this.#end(job, { state: "FAILED", reason: "a dependency failed" });
    }
    if (isOver(job)) return;
    job.status = { ...job.status, state: "RUNNING", startedAt: this.#options.clock.now(), attempts: 1 };
    const copies = Array.from({ length: job.request.arraySize ?? 1 }, (_, index) => index);
    const codes = await Promise.all(copies.map((index) => this.#copy(job, index)));
    const exitCode = codes.find((code) => code !== 0) ?? 0;
    const reason =
      exitCode === 0 ? {} : { reason: `exit code ${exitCode}; see ${this.logOf(job.status.id)}` };
    this.#end(job, { state: exitCode === 0 ? "SUCCEEDED" : "FAILED", exitCode, ...reason });
  }

  /** The exit code; 127 where the program does not start, 128 where a signal ended it. */
  #copy({ request, status, children }: ChildJob, index: number): Promise<number> {
    const { path, args } = this.#options.program(request.command);
    const log = openSync(join(this.#options.logs, `${status.id}.${index}.log`), "a");
    const isArray = request.arraySize !== undefined;
    const child = spawn("/bin/sh", ["-c", GATE, "sh", path, ...args], {
      cwd: this.#options.cwd,
      env: {
        ...process.env,
        ...request.environment,
        ...(isArray ? { AWS_BATCH_JOB_ARRAY_INDEX: String(index) } : {}),
      },
      stdio: ["pipe", log, log],
      // A group of its own: what the program starts ends with it.
      detached: true,
    });
    closeSync(log);
    children.add(child);
    const { pid } = child;
    // It may be gone before it reads its line.
    child.stdin?.on("error", () => undefined);
    this.#watch.hold(pid).then(
      () => child.stdin?.end("\n"),
      // The gate stays shut.
      () => child.stdin?.destroy(),
    );
    return new Promise((resolve) => {
      const ended = (code: number): void => {
        if (!children.delete(child)) return;
        this.#watch.release(pid);
        resolve(code);
      };
      child.once("error", () => ended(127));
      child.once("exit", (code) => ended(code ?? 128));
    });
  }

  #end(job: ChildJob, end: Pick<JobStatus, "state"> & Partial<JobStatus>): void {
    if (!isOver(job)) job.status = { ...job.status, ...end, stoppedAt: this.#options.clock.now() };
  }
}

function isOver({ status }: ChildJob): boolean {
  return status.state === "SUCCEEDED" || status.state === "FAILED";
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // It ended a moment ago.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
