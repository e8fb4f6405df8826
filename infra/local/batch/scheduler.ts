import { join } from "node:path";
import { afterAttempt, type Ending } from "./attempt-end.ts";
import { attemptEnvironment } from "./attempt-environment.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Need, needOf, substitute } from "./container.ts";
import { readiness } from "./dependencies.ts";
import type { AttemptOrder, Executor, RunningAttempt } from "./executor.ts";
import type { ActiveAttempt, Job, StopCause } from "./job.ts";
import type { JobTable } from "./job-table.ts";
import { place, sum } from "./placement.ts";

interface Setting {
  readonly table: JobTable;
  readonly catalogue: Catalogue;
  readonly executor: Executor;
  readonly host: Need;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFolder: string;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopTimeout: number;
  /** Stands for the machine in the reasons of lost attempts. */
  readonly instance: string;
  readonly now: () => number;
  readonly newId: () => string;
}

const MISFIT =
  "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - no compute environment of the queue has the vCPUs and memory that the job needs";
/** Some 24 days. Longer delays overflow Node's timers, which would fire at once, so longer time-outs are none. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Moves jobs through their states: waits for dependencies and room, runs attempts, ends and repeats them. */
export class Scheduler {
  private readonly setting: Setting;
  private readonly running = new Map<string, RunningAttempt>();
  private readonly supervised = new Set<Promise<void>>();
  private pass: NodeJS.Immediate | undefined;
  /** Nothing starts before what an earlier runner left is sorted out. */
  private phase: "resuming" | "open" | "closed" = "resuming";

  constructor(setting: Setting) {
    this.setting = setting;
  }

  /** Takes up what an earlier runner left: goes on with attempts that still run, gives up those that were lost. */
  async resume(): Promise<void> {
    const { table, executor } = this.setting;
    const active = table.activeJobs();
    for (const job of active) {
      const attempt = job.active;
      if (attempt === undefined) continue;
      if (attempt.handle === undefined) {
        // It was on its way and cannot have begun, so it is no attempt.
        table.update(job.id, ({ active: _, ...rest }) => ({ ...rest, status: "RUNNABLE" }));
      } else {
        const running = await executor.recover(attempt.handle, this.logFileOf(attempt));
        if (running === null) this.finish(job.id, { kind: "lost" });
        else this.supervise(this.watch(job.id, running));
      }
    }
    await executor.clear(active.map((job) => job.active?.handle).filter((handle) => handle !== undefined));
    if (this.phase === "resuming") this.phase = "open";
    this.poke();
  }

  /** Something changed: looks at all waiting jobs soon. */
  poke(): void {
    if (this.phase !== "open" || this.pass !== undefined) return;
    this.pass = setImmediate(() => {
      this.pass = undefined;
      if (this.phase !== "open") return;
      this.setting.table.together(() => {
        if (this.evaluate()) this.poke();
      });
      this.launch();
    });
  }

  /** Ends an attempt under way; the first cause stays. Has no effect on other jobs. */
  stop(id: string, cause: StopCause): void {
    const { table, stopTimeout } = this.setting;
    const active = table.get(id)?.active;
    if (active === undefined || active.stop !== undefined) return;
    this.keep(id, { stop: cause });
    this.running.get(id)?.stop(stopTimeout);
  }

  /** Stops all attempts, to be tried again at the next start as their strategies say. */
  async close(): Promise<void> {
    this.phase = "closed";
    clearImmediate(this.pass);
    for (const { id } of this.setting.table.activeJobs()) this.stop(id, { kind: "host" });
    while (this.supervised.size > 0) await Promise.allSettled(this.supervised);
  }

  /** Moves jobs whose dependencies are settled; true where that may settle others. */
  private evaluate(): boolean {
    const { table, now } = this.setting;
    let changed = false;
    for (const job of table.unreadyJobs()) {
      const ready = readiness(job, (id) => table.statusOf(id));
      if (ready === "ready") table.update(job.id, (each) => ({ ...each, status: "RUNNABLE" }));
      if (ready === "waiting" && job.status === "SUBMITTED") {
        table.update(job.id, (each) => ({ ...each, status: "PENDING" }));
      }
      if (ready === "doomed") {
        changed = true;
        const statusReason = "Dependent Job failed";
        table.update(job.id, (each) => ({ ...each, status: "FAILED", statusReason, stoppedAt: now() }));
      }
    }
    return changed;
  }

  private launch(): void {
    const { table, catalogue, host } = this.setting;
    const used = new Map<string, Need>();
    for (const { container, active } of table.activeJobs()) {
      const name = active?.computeEnvironment ?? "";
      used.set(name, sum(used.get(name) ?? { vcpus: 0, memory: 0 }, needOf(container)));
    }
    const candidates = table
      .runnableJobs()
      .map(({ id, queue, container }) => ({ id, queue, need: needOf(container) }));
    const { queues, computeEnvironments } = catalogue;
    const plan = place(candidates, { queues, computeEnvironments, host, used });
    for (const id of plan.misfits) {
      if (table.get(id)?.statusReason === MISFIT) continue;
      table.update(id, (job) => ({ ...job, statusReason: MISFIT }));
    }
    for (const { id, computeEnvironment } of plan.placements) {
      this.supervise(this.start(id, computeEnvironment));
    }
  }

  private async start(id: string, computeEnvironment: string): Promise<void> {
    const { table, executor, newId, now } = this.setting;
    const taskId = newId();
    const job = table.update(id, ({ statusReason: _, ...rest }) => ({
      ...rest,
      status: "STARTING",
      active: { taskId, computeEnvironment, logStreamName: `${definitionName(rest)}/default/${taskId}` },
    }));
    if (job.active === undefined) return;
    let running: RunningAttempt;
    try {
      const prepared = await executor.prepare(this.orderOf(job, job.active));
      this.keep(id, { handle: prepared.handle });
      running = await prepared.begin();
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.finish(id, { kind: "failed start", reason });
      return;
    }
    const startedAt = now();
    this.keep(id, { startedAt });
    table.update(id, (each) => ({ ...each, status: "RUNNING", startedAt }));
    await this.watch(id, running);
  }

  private async watch(id: string, running: RunningAttempt): Promise<void> {
    const { table, now, stopTimeout } = this.setting;
    this.running.set(id, running);
    if (this.phase === "closed") this.stop(id, { kind: "host" });
    const job = table.get(id);
    // The stop may be older than this handle on the attempt, from an earlier runner even.
    if (job?.active?.stop !== undefined) running.stop(stopTimeout);
    const clock = this.startClock(id, job?.timeout ?? null, job?.active?.startedAt ?? now());
    const ending = await running.ended;
    clearTimeout(clock);
    this.running.delete(id);
    this.finish(id, ending);
  }

  /** Notes something about the attempt under way. */
  private keep(id: string, more: Partial<ActiveAttempt>): void {
    this.setting.table.update(id, (job) =>
      job.active === undefined ? job : { ...job, active: { ...job.active, ...more } },
    );
  }

  private startClock(id: string, timeout: number | null, startedAt: number): NodeJS.Timeout | undefined {
    if (timeout === null) return undefined;
    const left = startedAt + timeout * 1000 - this.setting.now();
    if (left > LONGEST_DELAY_MS) return undefined;
    return setTimeout(() => this.stop(id, { kind: "timeout" }), left);
  }

  private finish(id: string, ending: Ending): void {
    const { table, instance, now } = this.setting;
    table.update(id, (job) => afterAttempt(job, { ending, instance, now: now() }));
    this.poke();
  }

  private orderOf(job: Job, active: ActiveAttempt): AttemptOrder {
    const { environment } = this.setting;
    const command = [...substitute(job.container.command, job.parameters)];
    return {
      taskId: active.taskId,
      jobId: job.id,
      definitionName: definitionName(job),
      container: { ...job.container, command },
      environment: attemptEnvironment(job, active, environment),
      logFile: this.logFileOf(active),
    };
  }

  private logFileOf({ logStreamName }: ActiveAttempt): string {
    return join(this.setting.logFolder, `${logStreamName}.log`);
  }

  private supervise(attempt: Promise<void>): void {
    this.supervised.add(attempt);
    void attempt.finally(() => this.supervised.delete(attempt));
  }
}

/** The name in the ARN of a definition's revision. */
function definitionName({ definition }: Pick<Job, "definition">): string {
  return definition.replace(/^.*\//, "").replace(/:\d+$/, "");
}
