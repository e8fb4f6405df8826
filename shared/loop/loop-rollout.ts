import { createHash } from "node:crypto";
import { episodeEntrySchema } from "../collect/episode-entry.ts";
import { type EpisodePlan, planEpisodes } from "../collect/plan-episodes.ts";
import { readTasks } from "../collect/read-tasks.ts";
import type { LoopRollouts } from "../contracts/deployed-loop.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import { rolloutEpisodeKey, rolloutPlanKey, rolloutTasksKey } from "../contracts/keys.ts";
import { type RolloutPlan, rolloutPlanSchema } from "../contracts/rollout-plan.ts";
import type { PlannedEpisode } from "../evaluation/agent-episodes.ts";
import { evaluationEpisode, hashOfTasks } from "../evaluation/evaluate-agent.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { readStored } from "../stages/stored-json.ts";

export interface LoopRollout {
  readonly name: string;
  readonly rollouts: LoopRollouts;
  /** Text of its tasks. */
  readonly tasks: string;
  /** Prefix of the model that acts. */
  readonly model: string;
  readonly seed: number;
  /** Project that logs go into; null: none are kept. */
  readonly project: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Places = Pick<ObjectStore, "read" | "put" | "putIfAbsent">;

/** Puts plan and tasks of a rollout into the store. @throws TasksFileError, CollectPlanError, DamagedObjectError */
export function placeRollout(rollout: LoopRollout, store: Places): Promise<RolloutPlan> {
  return placed(planOf(rollout), { tasks: new TextEncoder().encode(rollout.tasks), store });
}

/** The same episodes for another model, whatever has been deployed since. @throws DamagedObjectError, ObjectNotFoundError */
export async function placeBeside(
  other: RolloutPlan,
  { name, model, now }: Pick<LoopRollout, "name" | "model" | "now">,
  store: Places,
): Promise<RolloutPlan> {
  const plan = rolloutPlanSchema.parse({
    ...other,
    run: name,
    folder: `loop/rollouts/${name}`,
    createdAt: new Date(now).toISOString(),
    agent: { ...other.agent, model },
    tasks: { ...other.tasks, key: rolloutTasksKey(name) },
  });
  return placed(plan, { tasks: await store.read(other.tasks.key), store });
}

/** One that there is stays as it is, so that a job that is submitted again goes on with the same tasks and seeds. */
async function placed(
  plan: RolloutPlan,
  { tasks, store }: { readonly tasks: Uint8Array; readonly store: Places },
): Promise<RolloutPlan> {
  const key = rolloutPlanKey(plan.run);
  const bytes = new TextEncoder().encode(`${JSON.stringify(plan, null, 1)}\n`);
  const isNew = (await store.putIfAbsent(key, bytes)) === "created";
  const there = isNew ? plan : ((await readStored(key, rolloutPlanSchema, store)) ?? plan);
  // Whoever wrote the plan may have been stopped before he wrote its tasks.
  if (there.tasks.sha256 === plan.tasks.sha256) await store.put(there.tasks.key, tasks);
  return there;
}

function planOf({ name, rollouts, tasks, model, seed, project, now }: LoopRollout): RolloutPlan {
  const { env, attempts, shards, concurrency, limits, backend, agent, prices } = rollouts;
  const episodes = planEpisodes(readTasks(tasks, rollouts.tasks), { attempts, seed });
  return rolloutPlanSchema.parse({
    schema: "gymline.rollout-plan.v1",
    run: name,
    folder: `${project ?? "loop"}/rollouts/${name}`,
    createdAt: new Date(now).toISOString(),
    ...{ env, attempts, seed, limits, backend, prices },
    agent: { kind: "onnx", model, ...agent },
    tasks: {
      key: rolloutTasksKey(name),
      count: episodes.length / attempts,
      sha256: createHash("sha256").update(tasks).digest("hex"),
    },
    shards: Math.min(shards, episodes.length),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(project === null ? { logs: "none" } : {}),
  });
}

/** What a rollout was to do and has done. */
export interface RolledOut {
  readonly plan: RolloutPlan;
  readonly planned: readonly PlannedEpisode[];
  readonly tasksHash: string;
  /** Each planned one once; those that no job got to have failed. */
  readonly episodes: readonly EvaluationEpisode[];
  readonly violationsCounted: boolean;
}

/** Entries read at a time. */
const READING = 16;

/** Undefined where nobody has submitted it. @throws DamagedObjectError, TasksFileError, ObjectNotFoundError */
export async function rolledOut(
  name: string,
  store: Pick<ObjectStore, "read">,
): Promise<RolledOut | undefined> {
  const plan = await readStored(rolloutPlanKey(name), rolloutPlanSchema, store);
  if (plan === undefined) return undefined;
  const text = Buffer.from(await store.read(plan.tasks.key)).toString("utf8");
  const tasks = readTasks(text, plan.tasks.key);
  const all = planEpisodes(tasks, plan);
  const found: EvaluationEpisode[] = [];
  let violationsCounted = true;
  for (let at = 0; at < all.length; at += READING) {
    const some = all.slice(at, at + READING);
    const read = some.map((episode) =>
      readStored(rolloutEpisodeKey(name, episode.id), episodeEntrySchema, store),
    );
    for (const [index, entry] of (await Promise.all(read)).entries()) {
      const episode = some[index];
      if (entry !== undefined) found.push(evaluationEpisode(entry));
      else if (episode !== undefined) found.push(notRun(episode));
      if (entry?.kind === "done" && entry.violations === undefined) violationsCounted = false;
    }
  }
  return {
    plan,
    planned: all.map(({ taskId, attempt, seed }) => ({ task: taskId, attempt, seed })),
    tasksHash: hashOfTasks(tasks),
    episodes: found,
    violationsCounted,
  };
}

/** Its job failed, or was lost, before it came to it. */
function notRun({ taskId, attempt, seed }: EpisodePlan): EvaluationEpisode {
  return {
    ...{ task: taskId, attempt, seed, status: "failed", success: null, return: null },
    ...{ steps: 0, cost_usd: null, seconds: 0, violations: 0 },
  };
}
