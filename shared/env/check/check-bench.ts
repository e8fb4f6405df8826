import { createRandom, type Random } from "../../statistics/random.ts";
import type {
  Action,
  AgentEnv,
  EnvTool,
  JsonObject,
  ResetOptions,
  TimeStep,
  ToolDefinition,
} from "../protocol.ts";
import type { EnvTask } from "../task.ts";
import { sampleParams } from "./sample-params.ts";

export interface CheckOptions {
  /** A task to be reset to; without it, the environment must do without. */
  readonly task?: EnvTask;
  /** Params that a tool takes well; by default drawn from its JSON Schema. */
  readonly params?: (tool: ToolDefinition, random: Random) => JsonObject | undefined;
  /** The zod schemas behind the tools, to be compared with what agents are told. */
  readonly envTools?: readonly EnvTool[];
  /** Whether the same seed and actions must give the same episode; `false` where a model or a clock takes part. */
  readonly deterministic?: boolean;
  /** Most steps of each episode that is played. */
  readonly maxSteps?: number;
  readonly seed?: number;
}

/** What is wrong with an environment, or why nobody can tell. */
export type CheckResult = readonly string[] | { readonly skipped: string };

/** One check of an environment. */
export interface Check {
  readonly name: string;
  run(bench: CheckBench): Promise<CheckResult>;
  /** Why it does not apply. */
  skip?(bench: CheckBench): string | undefined;
}

/** What checks work with. */
export class CheckBench {
  readonly options: CheckOptions;
  readonly maxSteps: number;
  readonly #make: () => AgentEnv | Promise<AgentEnv>;

  constructor(make: () => AgentEnv | Promise<AgentEnv>, options: CheckOptions) {
    this.options = options;
    this.maxSteps = options.maxSteps ?? 40;
    this.#make = make;
  }

  /** A fresh environment, closed afterwards. */
  async use<T>(work: (env: AgentEnv) => Promise<T>): Promise<T> {
    const env = await this.#make();
    try {
      return await work(env);
    } finally {
      await env.close();
    }
  }

  resetOptions(more: ResetOptions = {}): ResetOptions {
    const { task, seed = 1 } = this.options;
    return { ...(task === undefined ? {} : { task: structuredClone(task) }), seed, ...more };
  }

  random(): Random {
    return createRandom(this.options.seed ?? 1);
  }

  /** An action that the tools allow. */
  action(env: AgentEnv, random: Random): Action {
    const tool = env.tools[random.int(env.tools.length)];
    if (tool === undefined) throw new Error("the environment has no tools");
    return { tool: tool.name, params: this.params(tool, random) };
  }

  params(tool: ToolDefinition, random: Random): JsonObject {
    return this.options.params?.(tool, random) ?? sampleParams(tool, random);
  }

  /** Plays an episode of allowed actions to its end, or `maxSteps`. */
  async play(env: AgentEnv, reset: ResetOptions): Promise<readonly TimeStep[]> {
    const random = this.random();
    const steps = [await env.reset(reset)];
    // By the flags, whatever `done` says: that it follows from them is for another check.
    const ended = (): boolean => steps.at(-1)?.terminated === true || steps.at(-1)?.truncated === true;
    while (steps.length <= this.maxSteps && !ended()) {
      steps.push(await env.step(this.action(env, random)));
    }
    return steps;
  }
}
