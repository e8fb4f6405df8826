import { createRandom, type Random } from "../statistics/random.ts";
import { interruptible } from "./interruptible.ts";
import {
  type Action,
  type AgentEnv,
  EnvFaultError,
  type EnvTool,
  ProtocolError,
  type ResetOptions,
  type StepInfo,
  type TimeStep,
  type ToolDefinition,
  type Verdict,
} from "./protocol.ts";
import type { EnvTask } from "./task.ts";
import { judged, timeStep } from "./time-step.ts";
import { checkAction, toolDefinition } from "./tool-schema.ts";

/** What a tool answers. A text alone is the output of a call that went well. */
export interface ToolResult {
  readonly output: string;
  /** 0 where absent. */
  readonly exitCode?: number;
  readonly error?: string;
  readonly reward?: number;
  /** The task has ended with this call. */
  readonly terminated?: boolean;
  readonly info?: StepInfo;
}

/** What a tool knows of the episode it is called in. */
export interface ToolContext<State> {
  /** Of this episode alone; tools may change it. */
  readonly state: State;
  /** Seeded by the episode's seed. */
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
  /** Steps before this one. */
  readonly step: number;
}

export interface EpisodeTool<State> extends EnvTool {
  /** `params` as the tool's schema reads them. What it throws the agent sees as an error, but for `EnvFaultError`. */
  run(
    params: Readonly<Record<string, unknown>>,
    context: ToolContext<State>,
  ): string | ToolResult | Promise<string | ToolResult>;
}

/** A tool with params typed by its schema. */
export function defineTool<State, Shape extends EnvTool["params"]>(tool: {
  readonly name: string;
  readonly description: string;
  readonly params: Shape;
  run(
    params: Shape["_zod"]["output"],
    context: ToolContext<State>,
  ): string | ToolResult | Promise<string | ToolResult>;
}): EpisodeTool<State> {
  return {
    name: tool.name,
    description: tool.description,
    params: tool.params,
    run: (params, context) => tool.run(params as Shape["_zod"]["output"], context),
  };
}

export interface EpisodeStartContext {
  readonly task: EnvTask;
  readonly seed: number;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
}

export interface BegunEpisode<State> {
  readonly state: State;
  /** What the agent sees first. */
  readonly observation: string;
  readonly info?: StepInfo;
  /** The tools of this task, where they are not those of the environment. */
  readonly tools?: readonly EpisodeTool<State>[];
}

/** An environment as its author describes it; `defineEnv` makes it keep the protocol. */
export interface EnvDefinition<State> {
  /** `namespace/name-v1` */
  readonly id: string;
  readonly domain: string;
  readonly tools: readonly EpisodeTool<State>[];
  /** Steps after which an episode is cut off; absent: none. */
  readonly maxSteps?: number | ((state: State) => number);
  /** @throws EnvTaskError where the task is not one of this environment's */
  begin(start: EpisodeStartContext): BegunEpisode<State> | Promise<BegunEpisode<State>>;
  /**
   * Judges the episode as it stands: at its end, and when it is cut off. Absent: nothing is judged. The verdict's reward
   * is 1 for a task that is solved where it does not say otherwise.
   */
  judge?(state: State, signal: AbortSignal | undefined): Verdict | Promise<Verdict>;
  /** Frees what an episode holds; called once for each that began. */
  end?(state: State): void | Promise<void>;
}

/**
 * An environment out of tools and a state, with everything the protocol asks for: order of calls, checked actions, tools
 * that throw, abort signals that work even where a tool does not heed them, seeds. The seed is 0 where none is given.
 */
export function defineEnv<State>(definition: EnvDefinition<State>): AgentEnv {
  return new DefinedEnv(definition);
}

interface Episode<State> {
  readonly state: State;
  readonly tools: readonly EpisodeTool<State>[];
  readonly definitions: readonly ToolDefinition[];
  readonly random: Random;
  readonly maxSteps: number;
  steps: number;
}

class DefinedEnv<State> implements AgentEnv {
  readonly id: string;
  readonly domain: string;
  readonly #definition: EnvDefinition<State>;
  readonly #definitions: readonly ToolDefinition[];
  #phase: "new" | "resetting" | "ready" | "stepping" | "interrupted" | "done" | "closed" = "new";
  #episode: Episode<State> | undefined;
  /** Counts resets, so that work of an interrupted episode that ends late changes nothing. */
  #round = 0;

  constructor(definition: EnvDefinition<State>) {
    this.id = definition.id;
    this.domain = definition.domain;
    this.#definition = definition;
    this.#definitions = definition.tools.map(toolDefinition);
  }

  get unwrapped(): AgentEnv {
    return this;
  }

  get tools(): readonly ToolDefinition[] {
    return this.#episode?.definitions ?? this.#definitions;
  }

  async reset({ task = {}, seed = 0, signal }: ResetOptions = {}): Promise<TimeStep> {
    if (this.#phase === "closed") throw new ProtocolError(`${this.id} is closed and cannot be reset`);
    this.#phase = "resetting";
    this.#round += 1;
    const round = this.#round;
    await this.#endEpisode();
    signal?.throwIfAborted();
    const random = createRandom(seed);
    const work = Promise.resolve().then(() => this.#definition.begin({ task, seed, random, signal }));
    const begun = await interruptible(work, signal).catch((error: unknown) => {
      // What begins after all, unheard, is ended again.
      work.then(({ state }) => this.#definition.end?.(state)).catch(() => undefined);
      if (round === this.#round) this.#phase = "new";
      throw error;
    });
    if (round !== this.#round) {
      await this.#definition.end?.(begun.state);
      throw new ProtocolError(`${this.id} was reset or closed again while it was being reset`);
    }
    const tools = begun.tools ?? this.#definition.tools;
    const { maxSteps = Number.POSITIVE_INFINITY } = this.#definition;
    this.#episode = {
      state: begun.state,
      tools,
      definitions: begun.tools === undefined ? this.#definitions : tools.map(toolDefinition),
      random,
      maxSteps: typeof maxSteps === "number" ? maxSteps : maxSteps(begun.state),
      steps: 0,
    };
    this.#phase = "ready";
    return timeStep({
      observation: begun.observation,
      ...(begun.info === undefined ? {} : { info: begun.info }),
    });
  }

  async step(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const episode = this.#running();
    const round = this.#round;
    this.#phase = "stepping";
    try {
      signal?.throwIfAborted();
      const step = await interruptible(this.#act(episode, action, signal), signal);
      if (round === this.#round) this.#phase = step.done ? "done" : "ready";
      return step;
    } catch (error) {
      const again = error instanceof EnvFaultError && error.transient;
      if (round === this.#round) this.#phase = again ? "ready" : "interrupted";
      throw error;
    }
  }

  async verdict(signal?: AbortSignal): Promise<Verdict> {
    if (this.#episode === undefined)
      throw new ProtocolError(`${this.id} has no episode to judge: reset it first`);
    return await this.#judge(this.#episode, signal);
  }

  async close(): Promise<void> {
    this.#phase = "closed";
    this.#round += 1;
    await this.#endEpisode();
  }

  #running(): Episode<State> {
    if (this.#phase === "ready" && this.#episode !== undefined) return this.#episode;
    const because = {
      new: "has not been reset",
      resetting: "is still being reset",
      ready: "has no episode",
      stepping: "is still at the step before",
      interrupted: "was interrupted in a step",
      done: "has ended its episode",
      closed: "is closed",
    }[this.#phase];
    throw new ProtocolError(`${this.id} ${because}: await each call, and reset before the next episode`);
  }

  async #act(episode: Episode<State>, action: Action, signal: AbortSignal | undefined): Promise<TimeStep> {
    const result = await this.#call(episode, action, signal);
    episode.steps += 1;
    const terminated = result.terminated === true;
    const truncated = !terminated && episode.steps >= episode.maxSteps;
    const done = terminated || truncated;
    const step = timeStep({
      observation: result.output,
      reward: result.reward ?? 0,
      terminated,
      truncated,
      info: {
        exitCode: result.exitCode ?? (result.error === undefined ? 0 : 1),
        step: episode.steps,
        tool: String(action.tool),
        ...(result.error === undefined ? {} : { error: result.error }),
        ...result.info,
      },
    });
    return done ? judged(step, await this.#judge(episode, signal)) : step;
  }

  async #judge({ state }: Episode<State>, signal: AbortSignal | undefined): Promise<Verdict> {
    const verdict = await this.#definition.judge?.(state, signal);
    if (verdict === undefined) return { success: null, score: null };
    return { reward: verdict.success === true ? 1 : 0, ...verdict };
  }

  /** An action that cannot be carried out, and a tool that throws, are observations the agent can learn from. */
  async #call(episode: Episode<State>, action: Action, signal: AbortSignal | undefined): Promise<ToolResult> {
    try {
      const checked = checkAction(action, episode.tools);
      if (!checked.valid) return { output: `Error: ${checked.error}`, exitCode: 1, error: checked.error };
      const { state, random, steps } = episode;
      const result = await checked.tool.run(checked.params, { state, random, signal, step: steps });
      return typeof result === "string" ? { output: result } : result;
    } catch (error) {
      if (error instanceof EnvFaultError || signal?.aborted === true) throw error;
      const message = `${action.tool}: ${error instanceof Error ? error.message : String(error)}`;
      return { output: `Error: ${message}`, exitCode: 1, error: message };
    }
  }

  async #endEpisode(): Promise<void> {
    const episode = this.#episode;
    this.#episode = undefined;
    if (episode !== undefined) await this.#definition.end?.(episode.state);
  }
}
