import type { Action, AgentEnv, ResetOptions, TimeStep } from "../protocol.ts";
import { cutOff } from "../time-step.ts";
import { EnvWrapper } from "./env-wrapper.ts";

export interface CostLimitOptions {
  /** Most US dollars of an episode. */
  readonly maxUsd: number;
  /** By default what the agent's turn cost (`action.costUsd`) and what the step did (`info.costUsd`). */
  readonly cost?: (action: Action, step: TimeStep) => number;
}

/** Cuts an episode off when it has cost as much as it may. The step that reaches the limit is still carried out. */
export class CostLimit extends EnvWrapper {
  readonly #maxUsd: number;
  readonly #cost: (action: Action, step: TimeStep) => number;
  #spent = 0;

  /** @throws RangeError where the limit is no amount above 0 */
  constructor(env: AgentEnv, { maxUsd, cost = costOf }: CostLimitOptions) {
    super(env);
    if (!(maxUsd > 0)) throw new RangeError(`maxUsd must be an amount above 0, not ${maxUsd}`);
    this.#maxUsd = maxUsd;
    this.#cost = cost;
  }

  /** US dollars of the episode so far. */
  get spentUsd(): number {
    return this.#spent;
  }

  protected override async onReset(options: ResetOptions): Promise<TimeStep> {
    const first = await super.onReset(options);
    this.#spent = first.info.costUsd ?? 0;
    return first;
  }

  protected override async onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const step = await super.onStep(action, signal);
    this.#spent += this.#cost(action, step);
    if (step.done || this.#spent < this.#maxUsd) return step;
    const info = { costLimit: true, spentUsd: this.#spent };
    return cutOff(step, { verdict: await this.verdict(signal), info });
  }
}

function costOf(action: Action, step: TimeStep): number {
  return (action.costUsd ?? 0) + (step.info.costUsd ?? 0);
}
