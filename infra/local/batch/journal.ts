import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { BatchSetupError } from "./errors.ts";
import type { Job } from "./job.ts";
import type { DeclaredDefinition } from "./resources.ts";

/** An event that was not delivered yet. */
export interface StoredEvent {
  readonly sequence: number;
  readonly jobId: string;
  readonly body: string;
}

/** A revision of a job definition, as it was declared. */
export interface StoredRevision {
  readonly revision: number;
  readonly declared: DeclaredDefinition;
}

const TABLES = `
  create table if not exists identity(id text not null);
  create table if not exists definitions(
    name text not null, revision integer not null, declared text not null, primary key (name, revision));
  create table if not exists jobs(id text primary key, sequence integer not null, job text not null);
  create table if not exists events(
    sequence integer primary key autoincrement, job_id text not null, body text not null);
`;

/** What was written survives the process, though not the machine, and no write waits for the disk. */
const SPEED = "pragma journal_mode = wal; pragma synchronous = normal";

const rows = {
  identity: z.object({ id: z.string() }),
  revision: z.object({ revision: z.number(), declared: z.string() }),
  job: z.object({ sequence: z.number(), job: z.string() }),
  event: z.object({ sequence: z.number(), job_id: z.string(), body: z.string() }),
};

/**
 * All that outlives the runner, in one SQLite file: jobs, revisions of definitions and undelivered events. A job
 * and the event of its change are written in one transaction, so that neither stands without the other.
 */
export class Journal {
  private readonly db: DatabaseSync;
  /** Tells this folder's containers from those of others. */
  readonly id: string;

  /**
   * @throws BatchSetupError where another runner has the folder
   */
  constructor(path: string, newId: string) {
    this.db = new DatabaseSync(path, { timeout: 0 });
    try {
      // The lock is the kernel's and goes when the process does, however it ends.
      this.db.exec(`pragma locking_mode = exclusive; begin exclusive; ${TABLES} commit; ${SPEED}`);
    } catch (cause) {
      this.db.close();
      throw new BatchSetupError(`cannot open ${path}; is another runner using that state folder?`, { cause });
    }
    this.db.prepare("insert into identity select ? where not exists (select 1 from identity)").run(newId);
    this.id = rows.identity.parse(this.db.prepare("select id from identity").get()).id;
  }

  /** In the order of submission. */
  jobs(): readonly { readonly sequence: number; readonly job: Job }[] {
    return this.db
      .prepare("select sequence, job from jobs order by sequence")
      .all()
      .map((row) => {
        const { sequence, job } = rows.job.parse(row);
        // Nobody but this program writes the file.
        return { sequence, job: JSON.parse(job) as Job };
      });
  }

  /** Writes changed jobs, and the events that tell of it, or nothing. */
  write(
    jobs: readonly { readonly sequence: number; readonly job: Job }[],
    events: readonly Omit<StoredEvent, "sequence">[],
  ): void {
    const putJob = this.db.prepare(
      "insert into jobs(id, sequence, job) values(?, ?, ?) on conflict(id) do update set job = excluded.job",
    );
    const putEvent = this.db.prepare("insert into events(job_id, body) values(?, ?)");
    this.db.exec("begin");
    try {
      for (const { sequence, job } of jobs) putJob.run(job.id, sequence, JSON.stringify(job));
      for (const { jobId, body } of events) putEvent.run(jobId, body);
      this.db.exec("commit");
    } catch (error) {
      this.db.exec("rollback");
      throw error;
    }
  }

  /** The oldest undelivered event of each job that is not left out. */
  firstEvents(limit: number, leftOut: readonly string[]): readonly StoredEvent[] {
    return this.db
      .prepare(
        `select min(sequence) as sequence, job_id, body from events
         where job_id not in (select value from json_each(?)) group by job_id order by sequence limit ?`,
      )
      .all(JSON.stringify(leftOut), limit)
      .map((row) => {
        const { sequence, job_id, body } = rows.event.parse(row);
        return { sequence, jobId: job_id, body };
      });
  }

  forgetEvents(sequences: readonly number[]): void {
    this.db
      .prepare("delete from events where sequence in (select value from json_each(?))")
      .run(JSON.stringify(sequences));
  }

  /** Oldest first. */
  revisions(name: string): readonly StoredRevision[] {
    return this.db
      .prepare("select revision, declared from definitions where name = ? order by revision")
      .all(name)
      .map((row) => {
        const { revision, declared } = rows.revision.parse(row);
        return { revision, declared: JSON.parse(declared) as DeclaredDefinition };
      });
  }

  definitionNames(): readonly string[] {
    return this.db
      .prepare("select distinct name from definitions order by name")
      .all()
      .map((row) => z.object({ name: z.string() }).parse(row).name);
  }

  addRevision(revision: number, declared: DeclaredDefinition): void {
    this.db
      .prepare("insert into definitions(name, revision, declared) values(?, ?, ?)")
      .run(declared.name, revision, JSON.stringify(declared));
  }

  close(): void {
    this.db.close();
  }
}
