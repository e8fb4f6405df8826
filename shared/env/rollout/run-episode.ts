import type { Agent, AgentEpisode, AgentTurn, Observation } from "../../agents/agent.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AgentEnv, TimeStep } from "../protocol.ts";
import type { EnvTask } from "../task.ts";
import { EpisodeRecord } from "./episode-record.ts";
import { type CutReason, type Ending, type EpisodeResult, hadAttempt, outcomeOf } from "./episode-result.ts";
import { Faults } from "./faults.ts";
import { speechOf, type TextTurns } from "./speech.ts";
import { takeTurn } from "./take-turn.ts";
import { Tally } from "./tally.ts";

export interface EpisodeLimits {
  /** Answers of the agent. */
  readonly maxTurns: number;
  /** Tokens that the agent writes. */
  readonly maxOutputTokens?: number;
  /** US dollars of agent and environment, as far as prices are known. */
  readonly maxCostUsd?: number;
  /** Answers in a row that call nothing and reach nobody, before the episode is cut off. */
  readonly maxNudges?: number;
}

export interface EpisodeRequest {
  /** Reset by the episode, and not closed. */
  readonly env: AgentEnv;
  readonly agent: Agent;
  readonly task?: EnvTask;
  /** Of environment and agent; 0 where absent. */
  readonly seed?: number;
  /** Ends the episode as `aborted`; what there is of it is kept. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<EpisodeLimits>;
  readonly clock: Clock;
  readonly run?: string;
  readonly attempt?: number;
  /** Instructions that stand above the task. */
  readonly instructions?: string;
  /** What becomes of an answer without calls. By default it is said to the user where there is a tool `respond`. */
  readonly textTurns?: TextTurns;
  readonly onTurn?: (turns: number) => void;
}

const DEFAULTS = { maxTurns: 50, maxNudges: 3 } as const;

/**
 * One episode: the agent acts, the environment answers, until one of them is done or a limit is reached. The calls of a
 * turn are carried out one after another and stand in one step of the trajectory. Never throws for what agent or
 * environment do: that ends the episode, and stands in `failure` and in the trajectory's outcome.
 */
export async function runEpisode(request: EpisodeRequest): Promise<EpisodeResult> {
  const { env, agent, task = {}, seed = 0, signal, clock } = request;
  const tally = new Tally(clock);
  const faults = new Faults(signal);
  let first: TimeStep;
  try {
    first = await env.reset({ task, seed, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    const failure = faults.environment(error, "reset");
    return result({ ending: { kind: "failed", failure }, tally, record: undefined });
  }
  tally.begun(first);
  const { run, attempt, instructions } = request;
  const identity = {
    ...(run === undefined ? {} : { run }),
    ...(attempt === undefined ? {} : { attempt }),
    seed,
  };
  const recordOf = (systemPrompt: string | null): EpisodeRecord =>
    new EpisodeRecord({
      env,
      agent,
      identity,
      task,
      tools: env.tools,
      systemPrompt,
      observation: first.observation,
      clock,
    });
  let episode: AgentEpisode;
  try {
    episode = agent.begin({
      tools: env.tools,
      seed,
      ...(instructions === undefined ? {} : { instructions }),
    });
  } catch (error) {
    const ending: Ending = { kind: "failed", failure: faults.agent(error) };
    return result({ ending, tally, record: recordOf(null) });
  }
  const record = recordOf(episode.systemPrompt);
  const ending = await play({ request, episode, record, tally, faults, first });
  return result({ ending, tally, record });
}

interface Play {
  readonly request: EpisodeRequest;
  readonly episode: AgentEpisode;
  readonly record: EpisodeRecord;
  readonly tally: Tally;
  readonly faults: Faults;
  readonly first: TimeStep;
}

async function play({ request, episode, record, tally, faults, first }: Play): Promise<Ending> {
  const { env, signal } = request;
  const limits = { ...DEFAULTS, ...request.limits };
  const speech = speechOf(env, request.textTurns);
  let observations: readonly Observation[] = [{ kind: "user", text: first.observation }];
  let nudges = 0;
  for (;;) {
    let turn: AgentTurn;
    try {
      signal?.throwIfAborted();
      turn = await episode.act(observations, signal);
      tally.turn(turn);
    } catch (error) {
      const failure = faults.agent(error);
      return {
        kind: "failed",
        failure,
        verdict: hadAttempt(failure) ? await verdictOf(env, signal) : undefined,
      };
    }
    request.onTurn?.(tally.counts().turns);
    const taken = await takeTurn({ turn, env, record, tally, faults, speech, signal });
    if (taken.kind === "failed") return taken;
    if (taken.kind === "done") {
      return { kind: "done", info: taken.step.info, terminated: taken.step.terminated };
    }
    nudges = taken.nudged ? nudges + 1 : 0;
    const by = taken.ends || nudges > limits.maxNudges ? "no_call" : reached(limits, tally);
    if (by !== undefined) return await cut(env, { by, faults, signal });
    for (const { text, by } of taken.said) record.user(text, by);
    observations = taken.observations;
  }
}

function reached(limits: EpisodeLimits, tally: Tally): CutReason | undefined {
  const { turns, usage, costUsd } = tally.counts();
  if (turns >= limits.maxTurns) return "max_turns";
  if (usage.output >= (limits.maxOutputTokens ?? Number.POSITIVE_INFINITY)) return "max_tokens";
  return costUsd >= (limits.maxCostUsd ?? Number.POSITIVE_INFINITY) ? "max_cost" : undefined;
}

async function cut(
  env: AgentEnv,
  facts: { readonly by: CutReason; readonly faults: Faults; readonly signal: AbortSignal | undefined },
): Promise<Ending> {
  try {
    return { kind: "cut", by: facts.by, verdict: await env.verdict?.(facts.signal) };
  } catch (error) {
    return { kind: "failed", failure: facts.faults.environment(error, "verdict") };
  }
}

/** Beside a failure that is told already, one of the judge is not: the attempt then has no verdict. */
async function verdictOf(
  env: AgentEnv,
  signal: AbortSignal | undefined,
): ReturnType<NonNullable<AgentEnv["verdict"]>> {
  try {
    return (await env.verdict?.(signal)) ?? { success: null, score: null };
  } catch {
    return { success: null, score: null };
  }
}

function result(facts: {
  readonly ending: Ending;
  readonly tally: Tally;
  readonly record: EpisodeRecord | undefined;
}): EpisodeResult {
  const { ending, tally, record } = facts;
  if (ending.kind !== "done") tally.reward(verdictReward(ending));
  const statistics = tally.counts();
  const outcome = outcomeOf(ending, statistics.reward);
  return {
    trajectory: record?.document(outcome) ?? null,
    outcome,
    statistics,
    ...(ending.kind === "failed" ? { failure: ending.failure } : {}),
  };
}

function verdictReward(ending: Exclude<Ending, { readonly kind: "done" }>): number {
  return ending.verdict?.reward ?? 0;
}
