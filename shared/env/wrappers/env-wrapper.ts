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
  #done = false;

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
    const first = await this.onReset(options);
    this.#done = first.done;
    return first;
  }

  async step(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    if (this.#done) throw new ProtocolError(`${this.id} has ended its episode: reset before the next step`);
    const step = await this.onStep(action, signal);
    this.#done = step.done;
    return step;
  }

  async verdict(signal?: AbortSignal): Promise<Verdict> {
    return (await this.env.verdict?.(signal)) ?? { success: null, score: null };
  }

  async close(): Promise<void> {
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
