import {
  type Action,
  type AgentEnv,
  ProtocolError,
  type ResetOptions,
  type TimeStep,
  type ToolDefinition,
  type Verdict,
} from "../protocol.ts";

/**
 * An environment around another one. A wrapper overrides `onReset` and `onStep`; what it does not override goes through.
 * It keeps the protocol for an episode that the wrapper itself has ended: a step after that never reaches the inside.
 */
export class EnvWrapper implements AgentEnv {
  protected readonly env: AgentEnv;
  #phase: "new" | "running" | "done" | "closed" = "new";

  constructor(env: AgentEnv) {
    this.env = env;
  }

  get id(): string {
    return this.env.id;
  }

  get domain(): string {
    return this.env.domain;
  }

  get tools(): readonly ToolDefinition[] {
    return this.env.tools;
  }

  get unwrapped(): AgentEnv {
    return this.env.unwrapped;
  }

  async reset(options: ResetOptions = {}): Promise<TimeStep> {
    if (this.#phase !== "closed") this.#phase = "new";
    const first = await this.onReset(options);
    this.#phase = first.done ? "done" : "running";
    return first;
  }

  async step(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    if (this.#phase !== "running") {
      const because = { new: "has not been reset", done: "has ended its episode", closed: "is closed" };
      throw new ProtocolError(`${this.id} ${because[this.#phase]}: reset before the next step`);
    }
    const step = await this.onStep(action, signal);
    if (step.done && this.#phase === "running") this.#phase = "done";
    return step;
  }

  async verdict(signal?: AbortSignal): Promise<Verdict> {
    return (await this.env.verdict?.(signal)) ?? { success: null, score: null };
  }

  async close(): Promise<void> {
    this.#phase = "closed";
    await this.env.close();
  }

  protected onReset(options: ResetOptions): Promise<TimeStep> {
    return this.env.reset(options);
  }

  protected onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    return this.env.step(action, signal);
  }
}

/** Puts an environment into another. */
export type Wrap = (env: AgentEnv) => AgentEnv;

/** Wraps from the inside out: the last one is what the agent meets. */
export function wrapEnv(env: AgentEnv, wrappers: readonly Wrap[]): AgentEnv {
  return wrappers.reduce((inner, wrap) => wrap(inner), env);
}
