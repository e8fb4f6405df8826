import type { JobRequest, JobState, JobStatus, Jobs } from "../../shared/ports/jobs.ts";

/** Runs one copy of a job and gives its exit code. */
export type JobProgram = (request: JobRequest, index: number) => Promise<number>;

interface MemoryJob {
  readonly request: JobRequest;
  status: JobStatus;
  ended: Promise<void>;
}

/** Jobs in this process: each runs its program once, after the jobs that it depends on. */
export class MemoryJobs implements Jobs {
  /** In the order they were submitted. */
  readonly submitted: JobRequest[] = [];
  readonly #program: JobProgram;
  readonly #jobs = new Map<string, MemoryJob>();
  #time = 0;

  constructor(program: JobProgram = async () => 0) {
    this.#program = program;
  }

  async submit(request: JobRequest): Promise<{ readonly id: string }> {
    this.submitted.push(request);
    const id = `job-${this.submitted.length}`;
    const status: JobStatus = {
      id,
      name: request.name,
      state: "SUBMITTED",
      createdAt: this.#now(),
      attempts: 0,
    };
    const job: MemoryJob = { request, status, ended: Promise.resolve() };
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
    if (job !== undefined) this.#end(job, { state: "FAILED", reason });
  }

  /** Resolves when all jobs so far have ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map(({ ended }) => ended));
  }

  async #run(job: MemoryJob): Promise<void> {
    for (const id of job.request.dependsOn ?? []) {
      const before = this.#jobs.get(id);
      await before?.ended;
      if (before?.status.state === "FAILED")
        this.#end(job, { state: "FAILED", reason: "a dependency failed" });
    }
    await Promise.resolve();
    if (isOver(job)) return;
    job.status = { ...job.status, state: "RUNNING", startedAt: this.#now(), attempts: 1 };
    const copies = Array.from({ length: job.request.arraySize ?? 1 }, (_, index) => index);
    const codes = await Promise.all(copies.map((index) => this.#program(job.request, index)));
    const exitCode = codes.find((code) => code !== 0) ?? 0;
    this.#end(job, { state: exitCode === 0 ? "SUCCEEDED" : "FAILED", exitCode });
  }

  #end(job: MemoryJob, end: Pick<JobStatus, "state"> & Partial<JobStatus>): void {
    if (!isOver(job)) job.status = { ...job.status, ...end, stoppedAt: this.#now() };
  }

  #now(): number {
    this.#time += 1;
    return this.#time;
  }
}

function isOver({ status }: MemoryJob): boolean {
  return status.state === "SUCCEEDED" || status.state === "FAILED";
}
