import { childId, type JOB_STATUSES, type Job, type JobStatus } from "./job.ts";
import { jobDetail, type StatusSummary } from "./job-detail.ts";
import type { Journal } from "./journal.ts";

interface Unwritten {
  readonly jobs: Map<string, Job>;
  readonly events: { readonly jobId: string; readonly body: string }[];
}

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
  // What the scheduler looks at, parents left out: a look must not cost more the more jobs have ended.
  private readonly unready = new Set<string>();
  private readonly runnable = new Set<string>();
  private readonly active = new Set<string>();
  /** Changes that are to be written together. */
  private unwritten: Unwritten | undefined;

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

  /** Jobs that may have to wait for others, in the order of submission. */
  unreadyJobs(): readonly Job[] {
    return this.inOrder(this.unready);
  }

  /** Jobs that wait for room, in the order of submission. */
  runnableJobs(): readonly Job[] {
    return this.inOrder(this.runnable);
  }

  /** Jobs whose attempt is under way. */
  activeJobs(): readonly Job[] {
    return this.inOrder(this.active);
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

  /** Writes all changes that `work` makes in one go, at its end: many at once take far less time. */
  together(work: () => void): void {
    this.collect(work);
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
    this.collect((unwritten) => {
      for (const job of changed) {
        this.keep(job);
        unwritten.jobs.set(job.id, job);
      }
      unwritten.events.push(...events);
    });
  }

  private collect(work: (unwritten: Unwritten) => void): void {
    if (this.unwritten !== undefined) {
      work(this.unwritten);
      return;
    }
    const unwritten: Unwritten = { jobs: new Map(), events: [] };
    this.unwritten = unwritten;
    try {
      work(unwritten);
    } finally {
      this.unwritten = undefined;
      const numbered = [...unwritten.jobs.values()].map((job) => ({ job, sequence: this.sequenceOf(job) }));
      this.setting.journal.write(numbered, unwritten.events);
      if (unwritten.events.length > 0) this.setting.onEvents?.();
    }
  }

  private hold(job: Job, sequence: number): void {
    this.sequences.set(job.id, sequence);
    if (job.role.kind === "parent") this.summaries.set(job.id, emptySummary());
    this.count(job, 1);
    this.keep(job);
  }

  private keep(job: Job): void {
    this.jobs.set(job.id, job);
    const { status, role, active } = job;
    const own = role.kind !== "parent";
    file(this.unready, job, own && (status === "SUBMITTED" || status === "PENDING"));
    file(this.runnable, job, own && status === "RUNNABLE");
    file(this.active, job, active !== undefined);
  }

  private count({ role, status }: Job, step: 1 | -1): void {
    const summary = role.kind === "child" ? this.summaries.get(role.parent) : undefined;
    if (summary !== undefined) summary[status] += step;
  }

  private inOrder(ids: Iterable<string>): readonly Job[] {
    return [...ids]
      .map((id) => this.jobs.get(id))
      .filter((job) => job !== undefined)
      .toSorted((left, right) => this.sequenceOf(left) - this.sequenceOf(right));
  }

  private sequenceOf({ id }: Job): number {
    return this.sequences.get(id) ?? 0;
  }
}

function file(ids: Set<string>, { id }: Job, belongs: boolean): void {
  if (belongs) ids.add(id);
  else ids.delete(id);
}

function emptySummary(): Record<JobStatus, number> {
  const zero = { SUBMITTED: 0, PENDING: 0, RUNNABLE: 0, STARTING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0 };
  return zero satisfies Record<(typeof JOB_STATUSES)[number], number>;
}
