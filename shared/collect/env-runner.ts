import type { Agent } from "../agents/agent.ts";
import type { AgentEnv } from "../env/protocol.ts";
import { type EpisodeFailure, type EpisodeResult, hadAttempt } from "../env/rollout/episode-result.ts";
import { type EpisodeLimits, runEpisode } from "../env/rollout/run-episode.ts";
import type { TextTurns } from "../env/rollout/speech.ts";
import type { Clock } from "../ports/clock.ts";
import type { EpisodeContext, EpisodeOutput, EpisodeRunner } from "./episode-runner.ts";
import type { EpisodePlan } from "./plan-episodes.ts";

export interface EnvRunnerOptions {
  readonly makeEnv: () => AgentEnv;
  /** A function gives the agent of each episode. */
  readonly agent: Agent | ((plan: EpisodePlan) => Agent);
  readonly clock: Clock;
  readonly limits?: Partial<EpisodeLimits>;
  readonly instructions?: string;
  readonly textTurns?: TextTurns;
}

/** Lets an agent act in an environment, which is kept for the next episode unless it failed. */
export function envRunner(options: EnvRunnerOptions): EpisodeRunner {
  let env: AgentEnv | null = null;
  const close = async (): Promise<void> => {
    const open = env;
    env = null;
    await open?.close();
  };
  return {
    run: async (plan, context) => {
      env ??= options.makeEnv();
      const result = await runEpisode(requestOf({ env, plan, context, options }));
      const { failure } = result;
      if (failure?.kind === "environment" || failure?.kind === "aborted") {
        // One that has failed may be unable to close, which says nothing new.
        await close().catch(() => undefined);
      }
      if (failure?.kind === "aborted") context.signal?.throwIfAborted();
      return outputOf(result);
    },
    close,
  };
}

function requestOf(parts: {
  readonly env: AgentEnv;
  readonly plan: EpisodePlan;
  readonly context: EpisodeContext;
  readonly options: EnvRunnerOptions;
}): Parameters<typeof runEpisode>[0] {
  const { env, plan, context, options } = parts;
  const { clock, limits, instructions, textTurns } = options;
  const agent = typeof options.agent === "function" ? options.agent(plan) : options.agent;
  const { run, signal, onTurn } = context;
  return {
    ...{ env, agent, clock, run, onTurn },
    task: plan.task,
    seed: plan.seed,
    attempt: plan.attempt,
    ...(signal === undefined ? {} : { signal }),
    ...(limits === undefined ? {} : { limits }),
    ...(instructions === undefined ? {} : { instructions }),
    ...(textTurns === undefined ? {} : { textTurns }),
  };
}

function failedBy(failure: EpisodeFailure | undefined): EpisodeOutput["error"] {
  if (failure === undefined || hadAttempt(failure)) return null;
  const { message } = failure;
  if (failure.kind === "aborted") return { name: "aborted", message };
  if (failure.kind === "environment") return { name: failure.error, message };
  return { name: `agent:${failure.reason}`, message };
}

function outputOf({ trajectory, outcome, statistics, failure }: EpisodeResult): EpisodeOutput {
  const error = failedBy(failure);
  const { reward, turns, steps, violations, usage, costUsd } = statistics;
  const used = usage.input + usage.cacheRead + usage.cacheWrite + usage.output > 0;
  return {
    kind: error === null ? "done" : "failed",
    success: error === null ? outcome.success : null,
    score: error === null ? (outcome.score ?? null) : null,
    ...{ reward, turns, steps, violations, error },
    stop: outcome.exit_status ?? "unknown",
    tokens: used ? { ...usage } : null,
    costUsd: costUsd > 0 ? costUsd : null,
    document:
      trajectory === null
        ? null
        : { bytes: new TextEncoder().encode(`${JSON.stringify(trajectory)}\n`), extension: ".json" },
  };
}
