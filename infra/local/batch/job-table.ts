import { childId, isOver, isWaiting, type JOB_STATUSES, type Job, type JobStatus } from "./job.ts";
import { jobDetail, type StatusSummary } from "./job-detail.ts";
import type { Journal } from "./journal.ts";

/** A state change as it is told to the world. */
export interface JobStateChange {
  readonly time: number;
  readonly jobArn: string;
  readonly detail: object;
}

interface Setting {
  readonly journal: Journal;
  readonly queueArn: (name: string) => string;
  readonly now: () => number;
  /** Called when there are events to send; null where nobody wants them. */
  readonly onEvents: (() => void) | null;
}

/**
 * All jobs, in memory and in the journal. Every change of state goes through here, is durable before the call
 * returns, and leaves an event; parents of arrays follow their children.
 */
export class JobTable {
  private readonly setting: Setting;
  private readonly jobs = new Map<string, Job>();
  private readonly sequences = new Map<string, number>();
  private readonly summaries = new Map<string, Record<JobStatus, number>>();
  /** Jobs that have not started, parents left out: what the scheduler looks at. */
  private readonly waiting = new Set<string>();
  private readonly active = new Set<string>();

  constructor(setting: Setting) {
    this.setting = setting;
    for (const { sequence, job } of setting.journal.jobs()) this.hold(job, sequence);
  }

  get(id: string): Job | undefined {
    return this.jobs.get(id);
  }

  statusOf(id: string): JobStatus | undefined {
    return this.jobs.get(id)?.status;
  }

  /** In the order of submission. */
  all(): Iterable<Job> {
    return this.jobs.values();
  }

  /** Jobs in these states that can run themselves, in the order of submission. */
  waitingJobs(...statuses: readonly JobStatus[]): readonly Job[] {
    return [...this.waiting]
      .map((id) => this.jobs.get(id))
      .filter((job) => job !== undefined)
      .filter(({ status }) => statuses.includes(status))
      .toSorted((left, right) => this.sequenceOf(left) - this.sequenceOf(right));
  }

  /** Jobs whose attempt is under way. */
  activeJobs(): readonly Job[] {
    return [...this.active].map((id) => this.jobs.get(id)).filter((job) => job !== undefined);
  }

  /** Of an array, by index. */
  children(parent: string): readonly Job[] {
    const role = this.jobs.get(parent)?.role;
    if (role?.kind !== "parent") return [];
    return Array.from({ length: role.size }, (_, index) => this.jobs.get(childId(parent, index))).filter(
      (job) => job !== undefined,
    );
  }

  describe(job: Job): object {
    const summary = this.summaries.get(job.id);
    return jobDetail(job, {
      queueArn: this.setting.queueArn(job.queue),
      ...(summary === undefined ? {} : { summary: { ...summary } satisfies StatusSummary }),
    });
  }

  /** Adds a job, with all its children if it is an array. A submission is no change of state: it has no event. */
  add(jobs: readonly Job[]): void {
    let next = this.jobs.size;
    const numbered = jobs.map((job) => ({ job, sequence: next++ }));
    this.setting.journal.write(numbered, []);
    for (const { job, sequence } of numbered) this.hold(job, sequence);
  }

  /** Takes changes to a job; a change of its status reaches the array it belongs to. */
  update(id: string, change: (job: Job) => Job): Job {
    const before = this.jobs.get(id);
    if (before === undefined) throw new Error(`there is no job ${id}`);
    const after = change(before);
    if (after.status === before.status) this.commit([after], []);
    else {
      this.count(before, -1);
      this.count(after, 1);
      const parent = this.parentAfter(after);
      this.commit([after, ...parent], [after, ...parent]);
    }
    return after;
  }

  /** The parent, if the child's change moved it to another state. */
  private parentAfter({ role }: Job): readonly Job[] {
    const parent = role.kind === "child" ? this.jobs.get(role.parent) : undefined;
    const summary = parent === undefined ? undefined : this.summaries.get(parent.id);
    if (parent === undefined || summary === undefined || role.kind !== "child") return [];
    if (summary.SUCCEEDED === role.size) {
      return [{ ...parent, status: "SUCCEEDED", stoppedAt: this.setting.now() }];
    }
    if (summary.SUCCEEDED + summary.FAILED === role.size) {
      const statusReason = parent.statusReason ?? "Array Child Job failed";
      return [{ ...parent, status: "FAILED", statusReason, stoppedAt: this.setting.now() }];
    }
    return parent.status === "SUBMITTED" ? [{ ...parent, status: "PENDING" }] : [];
  }

  private commit(changed: readonly Job[], told: readonly Job[]): void {
    const { now, onEvents } = this.setting;
    const time = now();
    const events = (onEvents === null ? [] : told).map((job) => {
      const change: JobStateChange = { time, jobArn: job.arn, detail: this.describe(job) };
      return { jobId: job.id, body: JSON.stringify(change) };
    });
    this.setting.journal.write(
      changed.map((job) => ({ job, sequence: this.sequenceOf(job) })),
      events,
    );
    for (const job of changed) this.keep(job);
    if (events.length > 0) onEvents?.();
  }

  private hold(job: Job, sequence: number): void {
    this.sequences.set(job.id, sequence);
    if (job.role.kind === "parent") this.summaries.set(job.id, emptySummary());
    this.count(job, 1);
    this.keep(job);
  }

  private keep(job: Job): void {
    this.jobs.set(job.id, job);
    if (isWaiting(job) && job.role.kind !== "parent") this.waiting.add(job.id);
    else this.waiting.delete(job.id);
    if (!isOver(job) && job.active !== undefined) this.active.add(job.id);
    else this.active.delete(job.id);
  }

  private count({ role, status }: Job, step: 1 | -1): void {
    const summary = role.kind === "child" ? this.summaries.get(role.parent) : undefined;
    if (summary !== undefined) summary[status] += step;
  }

  private sequenceOf({ id }: Job): number {
    return this.sequences.get(id) ?? 0;
  }
}

function emptySummary(): Record<JobStatus, number> {
  const zero = { SUBMITTED: 0, PENDING: 0, RUNNABLE: 0, STARTING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0 };
  return zero satisfies Record<(typeof JOB_STATUSES)[number], number>;
}
