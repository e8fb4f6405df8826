import { onTestFinished } from "vitest";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { type LocalStore, openForWriting } from "../../shared/adapters/local/local-store.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import type { DeployedDataset } from "../../shared/contracts/deployment-config.ts";
import {
  type ExportQueueMessage,
  exportMessageSchema,
  ingestMessageSchema,
  scoreMessageSchema,
} from "../../shared/contracts/messages.ts";
import type { Gate } from "../../shared/judge/config.ts";
import type { Drop } from "../../shared/ports/drop.ts";
import type { OutgoingEvent } from "../../shared/ports/events.ts";
import type { JobRequest, JobState, Jobs } from "../../shared/ports/jobs.ts";
import { type ExportRunPorts, type ExportRunResult, runExport } from "../../shared/stages/export-run.ts";
import { deadLetter } from "../../shared/stages/ingest-failure.ts";
import {
  type IngestObjectPorts,
  type IngestObjectResult,
  ingestObject,
} from "../../shared/stages/ingest-object.ts";
import { askForExports, type ScoreStoredPorts, scoreStored } from "../../shared/stages/score-stored.ts";
import { type SweepPorts, type SweepReport, sweep } from "../../shared/stages/sweep.ts";
import { isPartOfOne } from "../../shared/trajectory/registry.ts";
import { makePlan } from "./plan.ts";
import { temporaryFolder } from "./temporary.ts";

export type Stage = "ingest" | "score" | "export";

/** A call of a port that is to fail; for tests that let things go wrong. */
export type Fault = (port: string, method: string) => void;

/** The stages with queues between them, as in a deployment, but in this process and over the local adapters. */
export interface Pipeline {
  readonly local: LocalStore;
  readonly queues: Readonly<Record<Stage | "judge" | "dead", string[]>>;
  readonly events: readonly OutgoingEvent[];
  readonly submitted: readonly JobRequest[];
  /** States of submitted jobs, by id; tests change them. */
  readonly jobStates: Map<string, JobState>;
  now: number;
  put(key: string, content: string | Uint8Array): void;
  announce(key: string): void;
  remove(key: string): void;
  ingest(body: string, more?: Partial<IngestObjectPorts>): Promise<IngestObjectResult>;
  score(body: string): Promise<unknown>;
  export(message: Partial<ExportQueueMessage>, more?: Partial<ExportRunPorts>): Promise<ExportRunResult>;
  sweep(): Promise<SweepReport>;
  /** Handles messages, first in, first out, until none is left. */
  drain(): Promise<void>;
  handle(stage: Stage, body: string): Promise<unknown>;
}

export async function makePipeline(
  options: {
    readonly datasets?: readonly DeployedDataset[];
    /** Sends what it lets through to the judge; without it, there is none. */
    readonly gate?: Gate;
    readonly fault?: Fault;
    /** Ingest scores what it takes in. */
    readonly scoreAlong?: boolean;
  } = {},
): Promise<Pipeline> {
  const { datasets = [], gate, fault = () => undefined, scoreAlong = false } = options;
  const objects = new Map<
    string,
    { readonly bytes: Buffer; readonly modifiedAt: number; readonly etag: number }
  >();
  const queues = {
    ingest: [] as string[],
    score: [] as string[],
    export: [] as string[],
    judge: [] as string[],
    dead: [] as string[],
  };
  const queue = (name: keyof typeof queues) => ({
    send: async (bodies: readonly string[]) => {
      fault("queue", name);
      queues[name].push(...bodies);
    },
  });
  const events: OutgoingEvent[] = [];
  const submitted: JobRequest[] = [];
  const jobStates = new Map<string, JobState>();
  let etags = 0;
  const clock = { now: () => pipeline.now };
  const local = openForWriting(temporaryFolder("pipeline"), clock);
  onTestFinished(() => local.close());
  const drop: Drop = {
    find: async (key) => {
      const found = objects.get(key);
      if (found === undefined) return undefined;
      const { bytes, etag } = found;
      const open = async function* (range = { start: 0, end: bytes.length }) {
        yield new Uint8Array(bytes.subarray(range.start, range.end));
      };
      return { source: { name: key, size: bytes.length, open }, fingerprint: `e${etag}` };
    },
    fingerprint: async (key) => {
      const found = objects.get(key);
      return found && `e${found.etag}`;
    },
    list: async function* ({ after = "" }) {
      for (const [key, { bytes, modifiedAt }] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (key > after) yield { key, size: bytes.length, modifiedAt };
      }
    },
  };
  const jobs: Jobs = {
    submit: async (request) => {
      fault("jobs", "submit");
      submitted.push(request);
      const id = `job-${submitted.length}`;
      jobStates.set(id, "RUNNABLE");
      return { id };
    },
    describe: async (ids) =>
      ids.flatMap((id) => {
        const state = jobStates.get(id);
        return state === undefined ? [] : [{ id, name: id, state, attempts: 1 }];
      }),
    list: async function* () {},
    cancel: async () => undefined,
  };
  const tasks = await taskSettings(makePlan());
  const store = faulty("store", local.store, fault);
  const catalog = faulty("catalog", local.catalog, fault);
  const ledger = faulty("ledger", local.catalog.ledger, fault);
  const common = { store, catalog, ledger, jobs, clock };
  const ingestPorts: IngestObjectPorts = {
    ...common,
    drop,
    compute: new InlineCompute({ ...tasks, scoreLater: scoreAlong ? "on-fault" : true }),
    limits: tasks.ingest.limits,
    framer: { isPart: (value) => isPartOfOne(value, tasks.ingest.formats) },
    revision: tasks.ingest.revision,
    ...(scoreAlong
      ? { scored: (id) => askForExports(id, { catalog, ledger, datasets, exportQueue: queue("export") }) }
      : {}),
    follow: ({ id }) => queue("score").send([JSON.stringify({ schema: "gymline.score.v1", id })]),
  };
  const compute = new InlineCompute(tasks);
  const scorePorts: ScoreStoredPorts = {
    ...common,
    compute,
    datasets,
    exportQueue: queue("export"),
    ...(gate === undefined ? {} : { judge: { gate, queue: queue("judge") } }),
  };
  const eventPort = {
    publish: async (list: readonly OutgoingEvent[]) => {
      fault("events", "publish");
      events.push(...list);
    },
  };
  const exportPorts: ExportRunPorts = {
    ...common,
    compute,
    datasets,
    events: eventPort,
    queue: queue("export"),
    holder: "test",
  };
  const sweepPorts: SweepPorts = {
    ...common,
    drop,
    events: eventPort,
    datasets,
    ingestQueue: queue("ingest"),
    scoreQueue: queue("score"),
    exportQueue: queue("export"),
    ...(gate === undefined ? {} : { judgeQueue: queue("judge") }),
  };
  const pipeline: Pipeline = {
    local,
    queues,
    events,
    submitted,
    jobStates,
    now: Date.UTC(2026, 0, 1),
    put: (key, content) => {
      objects.set(key, { bytes: Buffer.from(content), modifiedAt: pipeline.now, etag: ++etags });
      pipeline.announce(key);
    },
    announce: (key) => {
      queues.ingest.push(JSON.stringify({ schema: "gymline.ingest.v1", key }));
    },
    remove: (key) => void objects.delete(key),
    ingest: async (body, more = {}) => {
      const result = await ingestObject(ingestMessageSchema.parse(JSON.parse(body)), {
        ...ingestPorts,
        ...more,
      });
      if (result.kind === "read") await deadLetter(result.report, { queue: queue("dead") });
      return result;
    },
    score: (body) => scoreStored(scoreMessageSchema.parse(JSON.parse(body)), scorePorts),
    export: (message, more = {}) => {
      const whole = exportMessageSchema.parse({
        schema: "gymline.export.v1",
        dataset: "sft",
        cause: "request",
        ...message,
      });
      return runExport(whole, { ...exportPorts, ...more });
    },
    sweep: () => sweep(sweepPorts),
    handle: (stage, body) => {
      if (stage === "ingest") return pipeline.ingest(body);
      return stage === "score" ? pipeline.score(body) : pipeline.export(JSON.parse(body));
    },
    drain: async () => {
      for (;;) {
        const stage = (["ingest", "score", "export"] as const).find((name) => queues[name].length > 0);
        const body = stage === undefined ? undefined : queues[stage].shift();
        if (stage === undefined || body === undefined) return;
        await pipeline.handle(stage, body);
      }
    },
  };
  return pipeline;
}

/** The same object, but `fault` may throw before or after each of its calls. */
function faulty<T extends object>(port: string, target: T, fault: Fault): T {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(value, object, args);
        if (!(result instanceof Promise)) return result;
        fault(port, String(name));
        return result.then((answer: unknown) => {
          fault(port, `${String(name)} done`);
          return answer;
        });
      };
    },
  });
}
