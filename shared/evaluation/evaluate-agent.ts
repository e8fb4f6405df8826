import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Agent } from "../agents/agent.ts";
import { type CollectOptions, type CollectResult, collectParallel } from "../collect/collect.ts";
import { type EnvRunnerOptions, envRunner } from "../collect/env-runner.ts";
import type { EpisodeEntry } from "../collect/episode-entry.ts";
import type { EpisodeRunner } from "../collect/episode-runner.ts";
import { MemoryLedger } from "../collect/memory-ledger.ts";
import { type EpisodePlan, planEpisodes } from "../collect/plan-episodes.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import type { AgentEnv } from "../env/protocol.ts";
import type { EnvTask } from "../env/task.ts";
import type { Clock } from "../ports/clock.ts";
import type { EpisodeLedger } from "../ports/episode-ledger.ts";
import type { AgentEpisodes, PlannedEpisode } from "./agent-episodes.ts";

/** What all agents of an evaluation have in common. */
export interface EvaluationRun {
  readonly tasks: readonly EnvTask[];
  /** At each task. */
  readonly attempts: number;
  /** The seed of an episode follows from this, its task and its attempt alone: it is the same for every agent. */
  readonly seed: number;
  /** Episodes under way at a time. 1 unless given. */
  readonly parallel?: number;
  readonly maxUsd?: number;
  readonly maxFailuresInRow?: number;
  /** Name in the records of the episodes. */
  readonly run?: string;
}

export interface EvaluationPorts {
  readonly clock: Clock;
  /** Where episodes are kept, so that another process can go on. In memory unless given. */
  readonly ledger?: EpisodeLedger;
  readonly signal?: AbortSignal;
  readonly onEvent?: NonNullable<CollectOptions["onEvent"]>;
}

export interface AgentEvaluation {
  readonly agent: AgentEpisodes;
  readonly planned: readonly PlannedEpisode[];
  readonly tasksHash: string;
  readonly ended: CollectResult["ended"];
  /** Ids of episodes that were not run to their end, failed ones among them. */
  readonly missing: readonly string[];
}

export interface EvaluatedEnvAgent
  extends EvaluationRun,
    Pick<EnvRunnerOptions, "limits" | "instructions" | "textTurns"> {
  /** Called once for each episode that may be under way at a time. */
  readonly env: () => AgentEnv;
  readonly agent: Agent;
  /** `agent.name` unless given. */
  readonly name?: string;
  readonly model?: AgentEpisodes["model"];
  readonly configuration?: AgentEpisodes["configuration"];
}

/**
 * Lets an agent attempt each task so many times in an environment. Never throws for what agent or environment do: such
 * an episode has failed.
 * @throws CollectPlanError where a task has no id, or two have the same; what a ledger throws
 */
export async function evaluateAgent(
  options: EvaluatedEnvAgent,
  ports: EvaluationPorts,
): Promise<AgentEvaluation> {
  const { env: makeEnv, agent, limits, instructions, textTurns } = options;
  const { name = agent.name, model = null, configuration } = options;
  const { clock } = ports;
  const makeRunner = (): EpisodeRunner =>
    envRunner({
      ...{ makeEnv, agent, clock },
      ...(limits === undefined ? {} : { limits }),
      ...(instructions === undefined ? {} : { instructions }),
      ...(textTurns === undefined ? {} : { textTurns }),
    });
  const own = { agent: agent.name, version: agent.version, model: agent.model };
  return await evaluateRunner(
    { ...options, name, model, configuration: configuration ?? own, makeRunner },
    ports,
  );
}

/** The same for whatever runs episodes, such as a harness in a sandbox. */
export async function evaluateRunner(
  options: EvaluationRun & Omit<AgentEpisodes, "episodes"> & { readonly makeRunner: () => EpisodeRunner },
  { clock, ledger = new MemoryLedger(), signal, onEvent }: EvaluationPorts,
): Promise<AgentEvaluation> {
  const { name, model, configuration, tasks, attempts, seed, makeRunner, maxUsd, maxFailuresInRow } = options;
  const episodes = planEpisodes(tasks, { attempts, seed });
  const { entries, ended, missing } = await collectParallel({
    run: options.run ?? name,
    ...{ episodes, makeRunner, ledger, clock, parallel: options.parallel ?? 1 },
    ...(maxUsd === undefined ? {} : { maxUsd }),
    ...(maxFailuresInRow === undefined ? {} : { maxFailuresInRow }),
    ...(signal === undefined ? {} : { signal }),
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  const counted = entries.every(({ violations }) => violations !== undefined);
  return {
    agent: {
      ...{ name, model, configuration, episodes: entries.map(evaluationEpisode) },
      violationsCounted: counted,
    },
    planned: episodes.map(plannedEpisode),
    tasksHash: hashOfTasks(tasks),
    ...{ ended, missing },
  };
}

/** SHA-256 of tasks in their order. */
export function hashOfTasks(tasks: readonly EnvTask[]): string {
  return createHash("sha256")
    .update(String(canonicalize(tasks)))
    .digest("hex");
}

function plannedEpisode({ taskId, attempt, seed }: EpisodePlan): PlannedEpisode {
  return { task: taskId, attempt, seed };
}

/** An entry of a run's ledger as an episode of an evaluation. */
export function evaluationEpisode(entry: EpisodeEntry): EvaluationEpisode {
  const { task, attempt, seed, kind, success, reward, turns, cost_usd, seconds, violations } = entry;
  return {
    ...{ task, attempt, seed, status: kind, success },
    return: kind === "failed" ? null : reward,
    ...{ steps: turns, cost_usd, seconds },
    violations: violations ?? 0,
  };
}
