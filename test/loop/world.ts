import type { EvaluationEpisode } from "../../shared/contracts/evaluation-episode.ts";
import type { DatasetPublished } from "../../shared/contracts/events.ts";
import {
  type LoopPolicy,
  type LoopRun,
  type LoopStepName,
  loopPolicySchema,
} from "../../shared/contracts/loop.ts";
import type { EvaluatedRun, LoopWorks, TrainedModel } from "../../shared/loop/works.ts";
import type { JobState, JobStatus, Jobs } from "../../shared/ports/jobs.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import type { LoopsPorts } from "../../shared/stages/loop.ts";
import { ManualTime } from "../factories/manual-time.ts";
import { MemoryEvents } from "../factories/memory-events.ts";
import { MemoryLedger, MemoryStore } from "../factories/memory-place.ts";
import type { Station } from "../factories/station.ts";
import { episodes, planOf } from "../registry/episodes.ts";

/** Jobs that change when the test says so, as Batch's do. */
export class SwitchedJobs implements Pick<Jobs, "describe" | "cancel"> {
  readonly all = new Map<string, JobStatus & { readonly step: LoopStepName; readonly run: string }>();

  /** Jobs that there ever were. */
  submitted = 0;

  start(step: LoopStepName, run: string): string {
    this.submitted += 1;
    const id = `job-${this.submitted}`;
    this.all.set(id, { id, name: `${step}-${run}`, step, run, state: "RUNNABLE", attempts: 0 });
    return id;
  }

  change(id: string, state: JobState, times: Partial<JobStatus> = {}): void {
    const job = this.all.get(id);
    if (job === undefined || job.state === "SUCCEEDED" || job.state === "FAILED") return;
    this.all.set(id, { ...job, ...times, state });
  }

  async describe(ids: readonly string[]): Promise<readonly JobStatus[]> {
    return ids.flatMap((id) => this.all.get(id) ?? []);
  }

  async cancel(id: string, reason: string): Promise<void> {
    this.change(id, "FAILED", { reason });
  }

  ids(step: LoopStepName): readonly string[] {
    return [...this.all.values()].filter((job) => job.step === step).map(({ id }) => id);
  }

  get open(): readonly string[] {
    return [...this.all.values()]
      .filter(({ state }) => state !== "SUCCEEDED" && state !== "FAILED")
      .map(({ id }) => id);
  }
}

/** How good a version is: its share of solved tasks, or a state of its evaluation. */
export type Skill = number | "missing";

/** Works whose jobs do nothing and whose models are as good as the test says. */
export class WorldWorks implements LoopWorks {
  readonly collects: boolean;
  readonly #jobs: SwitchedJobs;
  readonly #skill: (version: string) => Skill;

  constructor(options: {
    readonly jobs: SwitchedJobs;
    readonly skill: (version: string) => Skill;
    readonly collects?: boolean;
  }) {
    this.#jobs = options.jobs;
    this.#skill = options.skill;
    this.collects = options.collects ?? false;
  }

  async submit(step: LoopStepName, run: LoopRun): Promise<{ readonly job: string | null }> {
    const open = [...this.#jobs.all.values()].find(
      (job) => job.step === step && job.run === run.id && this.#jobs.open.includes(job.id),
    );
    return { job: open?.id ?? this.#jobs.start(step, run.id) };
  }

  async trained(run: LoopRun): Promise<TrainedModel | undefined> {
    const done = [...this.#jobs.all.values()].some(
      (job) => job.step === "train" && job.run === run.id && job.state === "SUCCEEDED",
    );
    if (!done) return undefined;
    const { name, version } = run.dataset;
    return {
      version: run.id,
      files: `models/${run.model}/${run.id}/`,
      metrics: { loss: 0.5 },
      lineage: {
        dataset: { name, version, manifest_sha256: "00" },
        base: "tiny",
        parent: run.parent,
        training: run.id,
        job: run.steps.train?.job ?? null,
        algorithm: "sft",
        trainer_commit: null,
      },
    };
  }

  async evaluated(run: LoopRun): Promise<EvaluatedRun> {
    const of = (version: string): readonly EvaluationEpisode[] => {
      const skill = this.#skill(version);
      const all = episodes({ tasks: 40 }, (task) => ({
        success: task / 40 < (skill === "missing" ? 1 : skill),
      }));
      return skill === "missing" ? all.slice(1) : all;
    };
    const planned = planOf(episodes({ tasks: 40 }, () => ({})));
    const champion = run.champion === null ? null : of(run.champion);
    return { planned, candidate: of(run.version ?? ""), champion, evaluation: null };
  }
}

/** What is written stays in memory: the datasets below serve many worlds. */
class LayeredStore extends MemoryStore {
  readonly #below: ObjectStore;

  constructor(below: ObjectStore) {
    super();
    this.#below = below;
  }

  override async read(key: string): Promise<Uint8Array> {
    return (await super.exists(key)) ? super.read(key) : this.#below.read(key);
  }
}

export interface World {
  readonly ports: LoopsPorts;
  readonly jobs: SwitchedJobs;
  readonly events: MemoryEvents;
  readonly time: ManualTime;
  readonly policy: LoopPolicy;
}

export function makeWorld(
  station: Station,
  {
    skill = () => 0.9,
    collects = false,
    policy: over = {},
  }: {
    readonly skill?: (version: string) => Skill;
    readonly collects?: boolean;
    readonly policy?: Record<string, unknown>;
  } = {},
): World {
  const jobs = new SwitchedJobs();
  const events = new MemoryEvents();
  const time = new ManualTime(Date.UTC(2026, 5, 1));
  const policy = loopPolicySchema.parse({
    model: "agent",
    dataset: "sft",
    retrain: { minimumNew: 1 },
    promotion: { first: { least: 0.3 }, minimumTasks: 20, minimumEpisodes: 20 },
    ...over,
  });
  const { catalog } = station.local;
  const store = new LayeredStore(station.local.store);
  const works = new WorldWorks({ jobs, skill, collects });
  const ports = {
    store,
    catalog,
    ledger: new MemoryLedger(),
    jobs,
    events,
    clock: time,
    works,
    policies: [policy],
  };
  return { ports, jobs, events, time, policy };
}

export function publishedEvent({
  name,
  version,
}: {
  readonly name: string;
  readonly version: string;
}): DatasetPublished {
  const manifest = `datasets/${name}/${version}/manifest.json`;
  return { schema: "gymline.dataset-published.v1", name, version, format: "sft-messages", rows: 3, manifest };
}
