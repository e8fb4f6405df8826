import type { EpisodeEntry } from "../../shared/collect/episode-entry.ts";
import { planEpisodes } from "../../shared/collect/plan-episodes.ts";
import { readTasks } from "../../shared/collect/read-tasks.ts";
import { type PlacedLoop, placedLoopSchema } from "../../shared/contracts/deployed-loop.ts";
import { modelPrefix, rolloutPlanKey } from "../../shared/contracts/keys.ts";
import { parseRolloutPlan } from "../../shared/contracts/rollout-plan.ts";
import { trainingPlanSchema } from "../../shared/contracts/training-plan.ts";
import { BatchWorks } from "../../shared/loop/batch-works.ts";
import type { JobRequest } from "../../shared/ports/jobs.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { shardEpisodes } from "../../shared/rollout/shard-episodes.ts";
import { StoreLedger, withoutLogs } from "../../shared/rollout/store-ledger.ts";
import type { LoopsPorts } from "../../shared/stages/loop.ts";
import { ManualTime } from "../factories/manual-time.ts";
import { MemoryEvents } from "../factories/memory-events.ts";
import { MemoryJobs } from "../factories/memory-jobs.ts";
import { MemoryLedger, MemoryStore } from "../factories/memory-place.ts";
import type { Station } from "../factories/station.ts";

export const BUCKET = "store";

/** So many tasks, as a file has them. */
export function taskLines(count: number, name = "task"): string {
  return Array.from(
    { length: count },
    (_, index) => `${JSON.stringify({ id: `${name}-${index}`, description: "x" })}\n`,
  ).join("");
}

export interface BatchWorld {
  readonly ports: LoopsPorts;
  readonly works: BatchWorks;
  readonly jobs: MemoryJobs;
  readonly store: ObjectStore;
  readonly drop: MemoryStore;
  readonly events: MemoryEvents;
  /** Shards whose jobs fail before they do anything, and how often. */
  readonly broken: Map<number, number>;
  /** Jobs begin when this is fulfilled. */
  readonly gate: { open: Promise<unknown> };
  /** Share of tasks that a model solves, by the prefix of its files; else 0.9. */
  readonly skills: Map<string, number>;
}

/**
 * A loop whose jobs run in this process: a training leaves the files that a model has, and a rollout an entry for each
 * of its episodes, by the ledger that real jobs keep.
 */
export function makeBatchWorld(station: Station, over: Record<string, unknown> = {}): BatchWorld {
  const { store, catalog } = station.local;
  const placed: PlacedLoop = placedLoopSchema.parse({
    loop: {
      ...{ model: "agent", dataset: "sft", retrain: { minimumNew: 1 } },
      promotion: { first: { least: 0.3 }, minimumTasks: 20, minimumEpisodes: 40 },
      train: { base: "tiny/model", options: { epochs: 2 } },
      evaluate: { env: { id: "e" }, tasks: "held-out.jsonl", attempts: 2, shards: 4, seed: 7 },
      collect: { env: { id: "e" }, tasks: "train.jsonl", project: "team" },
      ...over,
    },
    tasks: { evaluate: taskLines(40), collect: taskLines(3, "train") },
  });
  const drop = new MemoryStore();
  const broken = new Map<number, number>();
  const gate: BatchWorld["gate"] = { open: Promise.resolve() };
  const skills = new Map<string, number>();
  const program = async ({ command }: JobRequest, index: number): Promise<number> => {
    await gate.open;
    const [first = ""] = command;
    if (first.startsWith("s3://")) return train(first, store);
    const times = broken.get(index) ?? 0;
    if (times > 0) broken.set(index, times - 1);
    if (times > 0) return 1;
    return rollOut({ run: command.at(-1) ?? "", index, store, drop, skills });
  };
  const jobs = new MemoryJobs(program);
  const ledger = new MemoryLedger();
  // Jobs in memory begin at the first milliseconds of all time.
  const clock = new ManualTime(1000);
  const events = new MemoryEvents();
  const loops = [placed];
  const works = new BatchWorks({
    ...{ loops, store, ledger, clock, trainings: jobs, rollouts: jobs, storeBucket: BUCKET },
  });
  const policies = [placed.loop];
  const ports = { store, catalog, ledger, jobs, events, clock, works, policies };
  return { ports, works, jobs, store, drop, events, broken, gate, skills };
}

async function train(url: string, store: ObjectStore): Promise<number> {
  const key = url.slice(`s3://${BUCKET}/`.length);
  const plan = trainingPlanSchema.parse(JSON.parse(Buffer.from(await store.read(key)).toString()));
  const prefix = plan.output.slice(`s3://${BUCKET}/`.length);
  const put = (path: string, value: unknown): Promise<void> =>
    store.put(`${prefix}/${path}`, Buffer.from(JSON.stringify(value)));
  await put("model/config.json", {});
  await put("onnx/config.json", {});
  await put("training.json", { commit: "c0ffee", metrics: { loss: 0.5, note: "x" } });
  const file = (path: string) => ({ path, bytes: 2, sha256: "0".repeat(64) });
  const files = ["model/config.json", "onnx/config.json", "training.json"].map(file);
  await put("manifest.json", { schema: "gymline.model-files.v1", run: plan.run, algorithm: "sft", files });
  return 0;
}

async function rollOut(of: {
  readonly run: string;
  readonly index: number;
  readonly store: ObjectStore;
  readonly drop: ObjectStore;
  readonly skills: ReadonlyMap<string, number>;
}): Promise<number> {
  const { run, index, store, drop, skills } = of;
  const plan = parseRolloutPlan(await store.read(rolloutPlanKey(run)), run);
  const text = Buffer.from(await store.read(plan.tasks.key)).toString();
  const all = planEpisodes(readTasks(text, plan.tasks.key), plan);
  const mine = shardEpisodes(all, { shard: index, shards: plan.shards });
  const episodes = mine.map(({ id }) => id);
  const kept = new StoreLedger({ store, drop, run, folder: plan.folder, episodes });
  const ledger = plan.logs === "none" ? withoutLogs(kept) : kept;
  const done = await ledger.entries();
  const skill = plan.agent.kind === "onnx" ? (skills.get(plan.agent.model) ?? 0.9) : 0;
  for (const { id, taskId, attempt, seed } of mine) {
    if (done.get(id)?.kind === "done") continue;
    const success = Number(taskId.split("-").at(-1)) < skill * plan.tasks.count;
    const entry: Omit<EpisodeEntry, "file"> = {
      ...{ schema: "gymline.episode.v1", run, id, task: taskId, attempt, seed, kind: "done", success },
      ...{ score: null, reward: success ? 1 : 0, turns: 2, steps: 2, violations: 0, stop: "terminated" },
      ...{ tokens: null, cost_usd: 0, error: null, started_at: plan.createdAt, seconds: 1 },
    };
    await ledger.keep(entry, { bytes: Buffer.from(JSON.stringify(entry)), extension: ".json" });
  }
  return 0;
}

/** Prefix of the model that a run of the loop trained. */
export function filesOf(version: string | null): string {
  return modelPrefix("agent", version ?? "").slice(0, -1);
}
