import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { GitRepositories } from "../../shared/adapters/local/git-repositories.ts";
import { systemClock as clock } from "../../shared/adapters/local/system-clock.ts";
import { systemTimers as timers } from "../../shared/adapters/local/system-timers.ts";
import { waitForServer } from "../../shared/adapters/models/wait-for-server.ts";
import { type CollectResult, collectParallel } from "../../shared/collect/collect.ts";
import { type EpisodePlan, planEpisodes } from "../../shared/collect/plan-episodes.ts";
import { readTasks } from "../../shared/collect/read-tasks.ts";
import { rolloutPlanKey } from "../../shared/contracts/keys.ts";
import { type RolloutRoom, rolloutRoomSchema } from "../../shared/contracts/rollout-environment.ts";
import { parseRolloutPlan, type RolloutPlan, RolloutPlanError } from "../../shared/contracts/rollout-plan.ts";
import type { EnvPorts } from "../../shared/env/registry.ts";
import { ObjectNotFoundError, type ObjectStore } from "../../shared/ports/object-store.ts";
import { SandboxError } from "../../shared/ports/sandbox.ts";
import { Heartbeat } from "../../shared/rollout/rollout-progress.ts";
import { shardEpisodes, shardOf } from "../../shared/rollout/shard-episodes.ts";
import { StoreLedger, withoutLogs } from "../../shared/rollout/store-ledger.ts";
import { ownedSandboxes, reapOwned } from "../../shared/sandbox/owned-sandboxes.ts";
import { envPorts } from "./env-ports.ts";
import { EXIT } from "./exit-code.ts";
import { fetchModel } from "./rollout-model.ts";
import { type RolloutPlaces, rolloutPlaces } from "./rollout-places.ts";
import { fetchRepositories } from "./rollout-repositories.ts";
import { rolloutRunner } from "./rollout-runner.ts";
import { type JobStop, jobStop } from "./rollout-stop.ts";
import { out } from "./terminal.ts";

export interface RolloutJobOptions {
  readonly run: string;
  readonly store?: string;
  readonly drop?: string;
  /** Seconds that episodes under way have to end once the job is to stop. */
  readonly grace: number;
}

const HEARTBEAT_MS = 15_000;
const SERVER_PATIENCE_MS = 45 * 60_000;
const SERVER_EVERY_MS = 5_000;

/**
 * One job of a rollout: does what its shard still lacks, and gives the exit code, which docs/ROLLOUTS.md lists.
 * @throws RolloutPlanError, RolloutModelError, ShardError, UsageError and what makes every episode impossible
 */
export async function rolloutJob(options: RolloutJobOptions): Promise<number> {
  const variables = process.env;
  const room = rolloutRoomSchema.parse(variables);
  const stop = jobStop(options.grace * 1000, (why) => say("rollout job stops", { why }));
  const places = await rolloutPlaces(options, variables);
  try {
    return await work({ options, places, room, stop, variables });
  } catch (error) {
    // What fails once the job is to stop is done by the next try.
    if (!stop.drain.aborted) throw error;
    say("rollout job failed while it stopped", { error: nameOf(error) });
    return EXIT.interrupted;
  } finally {
    stop.release();
    await places.close();
  }
}

interface Work {
  readonly options: RolloutJobOptions;
  readonly places: RolloutPlaces;
  readonly room: RolloutRoom;
  readonly stop: JobStop;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

async function work({ options, places, room, stop, variables }: Work): Promise<number> {
  const { run } = options;
  const { store, drop } = places;
  const plan = await readPlan(store, run);
  const shard = shardOf(variables["AWS_BATCH_JOB_ARRAY_INDEX"], plan.shards);
  const episodes = shardEpisodes(await readEpisodes(store, plan), { shard, shards: plan.shards });
  const ids = episodes.map(({ id }) => id);
  const kept = new StoreLedger({ store, drop, run, folder: plan.folder, episodes: ids });
  const ledger = plan.logs === "none" ? withoutLogs(kept) : kept;
  const parallel = Math.min(
    plan.concurrency ?? Infinity,
    room.GYMLINE_ROLLOUT_CONCURRENCY ?? plan.concurrency ?? 1,
  );
  const about = { run, shard, ...batchFacts(variables), episodes: episodes.length };
  say("rollout job begins", { ...about, parallel });
  const folder = join(tmpdir(), `gymline-repositories-${run}-${shard}`);
  await fetchRepositories(store, { name: run, tasks: episodes.map(({ task }) => task), folder });
  const ports = { ...(await portsOf(plan, { shard, room })), repositories: new GitRepositories(folder) };
  const keys = await keysOf(plan, { room, places, variables });
  await readyServer(plan, { room, stop });
  const modelFolder = await modelOf(plan, { store, shard });
  const makeRunner = await rolloutRunner(plan, { ports, variables: keys, parallel, modelFolder });
  const heartbeat = new Heartbeat({
    ...{ store, clock, timers, about },
    everyMs: HEARTBEAT_MS,
    before: (await ledger.entries()).values(),
    onBeat: ({ schema: _, ...progress }, fault) =>
      say("rollout progress", { ...progress, ...(fault === undefined ? {} : { fault: nameOf(fault) }) }),
  });
  heartbeat.start();
  const { maxRunUsd, maxFailures } = plan.limits;
  let result: CollectResult;
  try {
    result = await collectParallel({
      ...{ run, episodes, makeRunner, ledger, clock, parallel },
      ...{ signal: stop.signal, drain: stop.drain },
      ...(maxRunUsd === undefined ? {} : { maxUsd: maxRunUsd }),
      ...(maxFailures === undefined ? {} : { maxFailuresInRow: maxFailures }),
      onEvent: (event) => heartbeat.update(event),
    });
  } catch (error) {
    await heartbeat.end("interrupted");
    throw error;
  }
  await heartbeat.end(result.ended === "stopped" ? "interrupted" : "ended");
  if (modelFolder !== null) await rm(dirname(modelFolder), { recursive: true, force: true });
  const code = exitCodeOf(result);
  say("rollout job ends", { ended: result.ended, missing: result.missing.length, exitCode: code });
  return code;
}

/** `stopped` → 75; nothing but failures, or too many in a row → 1; some failures, or no more money → 2. */
export function exitCodeOf({ ended, missing, summary }: CollectResult): number {
  const { done, failed } = summary.episodes;
  if (ended === "stopped") return EXIT.interrupted;
  if (ended === "failures" || (done === 0 && failed > 0)) return EXIT.fault;
  return missing.length > 0 ? EXIT.rejected : EXIT.done;
}

/** @throws RolloutPlanError */
export async function readPlan(store: Pick<ObjectStore, "read">, run: string): Promise<RolloutPlan> {
  const key = rolloutPlanKey(run);
  return parseRolloutPlan(await there(store, key), key);
}

async function readEpisodes(store: ObjectStore, plan: RolloutPlan): Promise<readonly EpisodePlan[]> {
  const { key, sha256 } = plan.tasks;
  const bytes = await there(store, key);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new RolloutPlanError(
      `${key} holds other tasks than the plan was made for; submit the rollout anew`,
    );
  }
  return planEpisodes(readTasks(Buffer.from(bytes).toString("utf8"), key), plan);
}

async function there(store: Pick<ObjectStore, "read">, key: string): Promise<Uint8Array> {
  try {
    return await store.read(key);
  } catch (cause) {
    if (!(cause instanceof ObjectNotFoundError)) throw cause;
    throw new RolloutPlanError(
      `the store holds no ${key}; check the name of the rollout, or submit it anew`,
      {
        cause,
      },
    );
  }
}

function batchFacts(variables: Work["variables"]): { readonly job: string | null; readonly attempt: number } {
  const attempt = Number(variables["AWS_BATCH_JOB_ATTEMPT"] ?? 1);
  return { job: variables["AWS_BATCH_JOB_ID"] ?? null, attempt };
}

/** An engine whose sandboxes are known as this job's, freed from those that its earlier tries have left behind. */
async function portsOf(
  plan: RolloutPlan,
  { shard, room }: { readonly shard: number; readonly room: RolloutRoom },
): Promise<Required<EnvPorts>> {
  const ports = await envPorts(plan.backend, { ephemeral: true });
  const labels = { rollout: `${plan.run}/${shard}` };
  const { GYMLINE_SANDBOX_VCPUS: cpus, GYMLINE_SANDBOX_MEMORY_MIB: memory } = room;
  try {
    const reaped = await reapOwned(ports.sandboxes, labels);
    if (reaped.length > 0) say("rollout job removed sandboxes of earlier tries", { reaped });
  } catch (error) {
    // Environments without sandboxes need no engine; those with them say what is wrong when they begin.
    if (!(error instanceof SandboxError) || error.reason !== "unavailable") throw error;
  }
  const reserved =
    cpus === undefined || memory === undefined ? undefined : { cpus, memoryBytes: memory * 2 ** 20 };
  return { ...ports, sandboxes: ownedSandboxes(ports.sandboxes, { labels, room: reserved }) };
}

/** Keys of providers: those of the environment before those of the deployment. */
async function keysOf(
  { agent }: RolloutPlan,
  { room, places, variables }: Pick<Work, "room" | "places" | "variables">,
): Promise<Work["variables"]> {
  if (room.GYMLINE_MODEL_SERVER !== undefined) {
    return { ...variables, OPENAI_BASE_URL: room.GYMLINE_MODEL_SERVER };
  }
  return agent.kind === "scripted" || agent.kind === "onnx"
    ? variables
    : { ...(await places.keys()), ...variables };
}

/** Brings the model that acts out of the store. @throws RolloutModelError */
async function modelOf(
  { run, agent }: RolloutPlan,
  { store, shard }: { readonly store: ObjectStore; readonly shard: number },
): Promise<string | null> {
  if (agent.kind !== "onnx") return null;
  const { model, precision } = agent;
  const folder = join(tmpdir(), `gymline-model-${run}-${shard}`);
  const facts = await fetchModel(store, { model, precision, folder });
  say("rollout job has its model", { model, ...facts });
  return join(folder, "onnx");
}

async function readyServer(
  { agent }: RolloutPlan,
  { room, stop }: Pick<Work, "room" | "stop">,
): Promise<void> {
  const url = room.GYMLINE_MODEL_SERVER;
  if (url === undefined || agent.kind !== "model") return;
  say("rollout job waits for the model's server", { url });
  await waitForServer({
    ...{ url, model: agent.model, clock, timers, signal: stop.drain },
    patienceMs: SERVER_PATIENCE_MS,
    everyMs: SERVER_EVERY_MS,
  });
}

function say(message: string, facts: Readonly<Record<string, unknown>>): void {
  out(JSON.stringify({ level: "INFO", message, ...facts }));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "unknown fault";
}
