import type { StageName } from "../contracts/deployment-config.ts";
import type { Catalog, DatasetEntry } from "../ports/catalog.ts";
import type { Clock } from "../ports/clock.ts";
import type { JobState, Jobs } from "../ports/jobs.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { EXPORT_RECORDS, type ExportState, exportState } from "../stages/export-run.ts";
import { BATCH_RECORDS } from "../stages/judge/batch-records.ts";
import { JUDGE_BACKLOG } from "../stages/judge-backlog.ts";

export interface StageStatus {
  readonly stage: StageName;
  /** Messages that wait for the stage. */
  readonly waiting: number;
  /** Messages that it is working on. */
  readonly inFlight: number;
  /** Messages that it gave up on. */
  readonly dead: number;
  /** Age of the oldest waiting message; null where nobody knows. */
  readonly oldestSeconds: number | null;
}

/** A count that stops at a bound: `more` says that there are more. */
export interface BoundedCount {
  readonly count: number;
  readonly more: boolean;
}

export interface DatasetStatus {
  readonly name: string;
  readonly versions: number;
  /** null: none was published yet. */
  readonly latest: Pick<DatasetEntry, "version" | "rows" | "createdAt" | "announced"> | null;
  /** Scores that the last export had seen, and those that there were when one was last asked for. */
  readonly consumed: number;
  readonly asked: number;
  /** Cause of an export that waits for its turn. */
  readonly pending: string | null;
  /** How the last export ended, with why where it wrote no version; null: none has ended yet. */
  readonly last: NonNullable<ExportState["last"]> | null;
}

export type JobCounts =
  | { readonly kind: "counted"; readonly states: Readonly<Record<JobState, BoundedCount>> }
  | { readonly kind: "unknown"; readonly reason: string };

export interface DeploymentStatus {
  readonly schema: "gymline.status.v1";
  readonly deployment: string;
  readonly stages: readonly StageStatus[];
  /** Trajectories that ever got a score. */
  readonly scored: number;
  readonly unscored: BoundedCount;
  readonly datasets: readonly DatasetStatus[];
  readonly jobs: JobCounts;
  /** Batches of the judge that are away, and trajectories that wait for its money. */
  readonly judge: { readonly batches: BoundedCount; readonly waiting: BoundedCount };
  /** Dropped objects with a report of what could not be read. */
  readonly rejected: BoundedCount;
}

export interface StatusPorts {
  readonly catalog: Pick<Catalog, "scoredCount" | "unscored" | "datasets">;
  readonly ledger: Ledger;
  readonly store: Pick<ObjectStore, "list">;
  readonly jobs: Pick<Jobs, "list">;
  readonly clock: Clock;
  /** Those of the deployment, in the order in which they are shown. */
  readonly stages: readonly StageName[];
  /** Queues of a stage. */
  readonly stage: (stage: StageName) => Promise<Omit<StageStatus, "stage">>;
  /** What to say where jobs cannot be listed; undefined lets the fault go on up. */
  readonly jobsFault: (error: unknown) => string | undefined;
}

/** Where counting stops: enough to tell "some" from "a great many". */
const MOST = 1000;

/** How a deployment is doing. Looks only, at a bounded number of things. */
export async function deploymentStatus(deployment: string, ports: StatusPorts): Promise<DeploymentStatus> {
  const { catalog, store, ledger, clock } = ports;
  const [stages, scored, unscored, datasets, jobs, rejected, batches, waiting] = await Promise.all([
    Promise.all(ports.stages.map(async (stage) => ({ stage, ...(await ports.stage(stage)) }))),
    catalog.scoredCount(),
    catalog.unscored({ before: clock.now(), limit: MOST + 1 }),
    datasetsOf(ports),
    jobCounts(ports),
    boundedCount(store.list("rejected/")),
    boundedCount(ledger.list(BATCH_RECORDS)),
    boundedCount(ledger.list(JUDGE_BACKLOG)),
  ]);
  return {
    schema: "gymline.status.v1",
    deployment,
    stages,
    scored,
    unscored: bounded(unscored.length),
    datasets,
    jobs,
    judge: { batches, waiting },
    rejected,
  };
}

/** Whether somebody should look: a stage gave up on something, or rows of a dataset failed their checks. */
export function needsSomebody({ stages, datasets }: Pick<DeploymentStatus, "stages" | "datasets">): boolean {
  return stages.some(({ dead }) => dead > 0) || datasets.some(({ last }) => last?.outcome === "failed");
}

async function datasetsOf({ catalog, ledger }: StatusPorts): Promise<readonly DatasetStatus[]> {
  const versions = new Map<string, DatasetEntry[]>();
  for await (const entry of catalog.datasets()) {
    const known = versions.get(entry.name);
    if (known === undefined) versions.set(entry.name, [entry]);
    else known.push(entry);
  }
  // An export that was asked for and found nothing to write has a record but no version.
  for await (const { key } of ledger.list(EXPORT_RECORDS)) {
    const name = key.slice(EXPORT_RECORDS.length);
    if (!versions.has(name)) versions.set(name, []);
  }
  const names = [...versions.keys()].sort();
  return Promise.all(
    names.map(async (name) => {
      const { consumed, asked, pending, last } = await exportState(name, ledger);
      const all = versions.get(name) ?? [];
      // The oldest comes first.
      const latest = all.at(-1);
      return {
        name,
        versions: all.length,
        latest: latest === undefined ? null : latestOf(latest),
        consumed,
        asked,
        pending: pending?.cause ?? null,
        last: last ?? null,
      };
    }),
  );
}

function latestOf({ version, rows, createdAt, announced }: DatasetEntry): DatasetStatus["latest"] {
  return { version, rows, createdAt, announced };
}

async function jobCounts({ jobs, jobsFault }: StatusPorts): Promise<JobCounts> {
  try {
    const count = (state: JobState): Promise<BoundedCount> => boundedCount(jobs.list({ state }));
    const states = {
      SUBMITTED: await count("SUBMITTED"),
      PENDING: await count("PENDING"),
      RUNNABLE: await count("RUNNABLE"),
      STARTING: await count("STARTING"),
      RUNNING: await count("RUNNING"),
      SUCCEEDED: await count("SUCCEEDED"),
      FAILED: await count("FAILED"),
    };
    return { kind: "counted", states };
  } catch (error) {
    const reason = jobsFault(error);
    if (reason === undefined) throw error;
    return { kind: "unknown", reason };
  }
}

async function boundedCount(items: AsyncIterable<unknown>): Promise<BoundedCount> {
  let count = 0;
  for await (const _ of items) {
    count += 1;
    if (count > MOST) break;
  }
  return bounded(count);
}

function bounded(count: number): BoundedCount {
  return count > MOST ? { count: MOST, more: true } : { count, more: false };
}
