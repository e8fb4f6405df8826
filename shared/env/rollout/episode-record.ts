import type { AgentCall, AgentTurn } from "../../agents/agent.ts";
import type { Clock } from "../../ports/clock.ts";
import { TrajectoryBuilder } from "../../trajectory/builder.ts";
import type { Outcome, ResultExtra, StepExtra } from "../../trajectory/gymline-extra.ts";
import type { Metrics, Step, Trajectory } from "../../trajectory/schema.ts";
import type { StepInfo, TimeStep, ToolDefinition } from "../protocol.ts";
import type { EnvTask } from "../task.ts";
import { liveDocument } from "./live-document.ts";
import { taskFacts } from "./task-facts.ts";

/** Which attempt an episode is. Equal attempts differ in it, so they stay apart as trajectories. */
export interface EpisodeIdentity {
  /** Name of the run that the episode belongs to. */
  readonly run?: string;
  /** Counts the attempts at one task, from 0. */
  readonly attempt?: number;
  readonly seed: number;
}

export interface RecordedAgent {
  readonly name: string;
  readonly version: string;
  readonly model: string | null;
}

export interface RecordStart {
  readonly env: { readonly id: string; readonly domain: string };
  readonly agent: RecordedAgent;
  readonly identity: EpisodeIdentity;
  readonly task: EnvTask;
  readonly tools: readonly ToolDefinition[];
  readonly systemPrompt: string | null;
  /** What the environment showed first. */
  readonly observation: string;
  readonly clock: Clock;
}

/** Where a recorded turn stands in the document. */
export type RecordedTurn = Step;

/** Notes an episode while it is under way; each turn of the agent is one step, however many calls it has. */
export class EpisodeRecord {
  readonly #builder = new TrajectoryBuilder();
  readonly #start: RecordStart;
  readonly #totals = { prompt: 0, completion: 0, cached: 0, costUsd: 0, used: false, priced: false };

  constructor(start: RecordStart) {
    this.#start = start;
    const { env, agent, identity, task, tools, systemPrompt } = start;
    const builder = this.#builder;
    builder.domain = env.domain;
    builder.agentInfo.name = agent.name;
    builder.agentInfo.version = agent.version;
    if (agent.model !== null) builder.agentInfo.model_name = agent.model;
    if (tools.length > 0) {
      builder.agentInfo.tool_definitions = tools.map((each) => ({ type: "function", function: { ...each } }));
    }
    Object.assign(builder.task, taskFacts(task));
    const { run, attempt, seed } = identity;
    Object.assign(builder.metadata, {
      env: env.id,
      ...(run === undefined ? {} : { run }),
      ...(attempt === undefined ? {} : { attempt }),
      seed,
    });
    if (run !== undefined) {
      builder.session = [run, task.id ?? "no-task", attempt ?? 0, seed].map(String).join("/");
    }
    if (systemPrompt !== null) builder.system({ content: systemPrompt, timestamp: this.#now() });
    this.user(start.observation);
  }

  /** Something that was said to the agent and answers no call. `by`: who, where it was not the user. */
  user(text: string, by?: "gymline"): void {
    this.#builder.user({
      content: text,
      timestamp: this.#now(),
      ...(by === undefined ? {} : { extra: { native: { by } } }),
    });
  }

  turn(turn: AgentTurn): RecordedTurn {
    const { agent } = this.#start;
    this.#count(turn);
    const metrics = metricsOf(turn);
    return this.#builder.agent({
      content: turn.message,
      timestamp: this.#now(),
      ...(turn.reasoning === undefined ? {} : { reasoning: turn.reasoning }),
      calls: turn.calls.map((call) => ({
        ...(call.id === "" ? {} : { id: call.id }),
        name: call.tool,
        arguments: call.rawArguments ?? call.params,
      })),
      ...(agent.model === null ? {} : { model: agent.model, modelCalls: 1 }),
      ...(Object.keys(metrics).length === 0 ? {} : { metrics }),
      ...oddities(turn),
    });
  }

  /** What the environment answered to a call of the turn. */
  result(turn: RecordedTurn, call: { readonly index: number; readonly step: TimeStep }): void {
    const { observation, info, reward } = call.step;
    this.#answer(turn, { index: call.index, text: observation, extra: resultExtra(info, reward) });
  }

  /** Why a call of the turn was not carried out. */
  refused(turn: RecordedTurn, call: { readonly index: number; readonly text: string }): void {
    this.#answer(turn, { ...call, extra: { is_error: true, error: call.text } });
  }

  /** Reward of a turn that said something and called nothing. */
  spoken(turn: RecordedTurn, step: TimeStep): void {
    if (step.reward === 0) return;
    const known = turn.extra?.gymline;
    turn.extra = { gymline: { ...known, native: { ...known?.native, reward: step.reward } } };
  }

  /** The document as it stands; ready to be dropped as a file. */
  document(outcome: Outcome): Trajectory {
    const { env } = this.#start;
    for (const key of Object.keys(this.#builder.outcome)) Reflect.deleteProperty(this.#builder.outcome, key);
    Object.assign(this.#builder.outcome, outcome);
    this.#builder.document.final_metrics = this.#finalMetrics();
    return liveDocument(this.#builder.build(env.id));
  }

  #answer(turn: RecordedTurn, answer: { index: number; text: string; extra: ResultExtra }): void {
    const callId = turn.tool_calls?.[answer.index]?.tool_call_id;
    this.#builder.result({ callId, step: turn, content: answer.text, extra: answer.extra });
  }

  #count({ usage, costUsd }: AgentTurn): void {
    const totals = this.#totals;
    if (usage !== undefined) {
      totals.used = true;
      totals.prompt += usage.input + usage.cacheRead + usage.cacheWrite;
      totals.completion += usage.output;
      totals.cached += usage.cacheRead;
    }
    if (costUsd !== undefined) {
      totals.priced = true;
      totals.costUsd += costUsd;
    }
  }

  #finalMetrics(): NonNullable<Trajectory["final_metrics"]> {
    const { prompt, completion, cached, costUsd, used, priced } = this.#totals;
    return {
      ...(used
        ? {
            total_prompt_tokens: prompt,
            total_completion_tokens: completion,
            total_cached_tokens: cached,
          }
        : {}),
      ...(priced ? { total_cost_usd: costUsd } : {}),
      total_steps: this.#builder.stepCount,
    };
  }

  #now(): string {
    return new Date(this.#start.clock.now()).toISOString();
  }
}

/** What a reader of the log would not expect of a turn. */
function oddities({ stop, forgotten = 0 }: AgentTurn): { readonly extra?: StepExtra } {
  const native = {
    ...(stop === "end" || stop === "calls" ? {} : { stop }),
    ...(forgotten === 0 ? {} : { forgotten_results: forgotten }),
  };
  return Object.keys(native).length === 0 ? {} : { extra: { native } };
}

/** `prompt_tokens` counts the whole prompt, what was read from and written to a cache included. */
function metricsOf({ usage, costUsd, tokens }: AgentTurn): Metrics {
  return {
    ...(usage === undefined
      ? {}
      : {
          prompt_tokens: usage.input + usage.cacheRead + usage.cacheWrite,
          completion_tokens: usage.output,
          cached_tokens: usage.cacheRead,
          ...(usage.cacheWrite === 0 ? {} : { extra: { cache_write_tokens: usage.cacheWrite } }),
        }),
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
    ...(tokens === undefined
      ? {}
      : {
          prompt_token_ids: [...tokens.promptIds],
          completion_token_ids: [...tokens.completionIds],
          ...(tokens.logprobs === undefined ? {} : { logprobs: [...tokens.logprobs] }),
        }),
  };
}

function resultExtra({ exitCode, error }: StepInfo, reward: number): ResultExtra {
  return {
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(error === undefined ? {} : { error, is_error: true }),
    ...(reward === 0 ? {} : { native: { reward } }),
  };
}

/** The call as an action of the environment. */
export function actionOf(
  call: AgentCall,
  turn: { readonly thought: string; readonly costUsd: number | undefined },
): { tool: string; params: AgentCall["params"]; callId: string; thought?: string; costUsd?: number } {
  return {
    tool: call.tool,
    params: call.params,
    callId: call.id,
    ...(turn.thought === "" ? {} : { thought: turn.thought }),
    ...(turn.costUsd === undefined ? {} : { costUsd: turn.costUsd }),
  };
}
