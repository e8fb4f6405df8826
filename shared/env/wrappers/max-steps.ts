import type { Action, AgentEnv, ResetOptions, TimeStep } from "../protocol.ts";
import { cutOff } from "../time-step.ts";
import { EnvWrapper } from "./env-wrapper.ts";
import { wholeNumber } from "./whole-number.ts";

/** Cuts an episode off after so many steps. A task that ends with the last step allowed has ended, and is not cut off. */
export class MaxSteps extends EnvWrapper {
  readonly #maxSteps: number;
  #steps = 0;

  /** @throws RangeError for less than one step */
  constructor(env: AgentEnv, { maxSteps = 30 }: { readonly maxSteps?: number } = {}) {
    super(env);
    this.#maxSteps = wholeNumber("maxSteps", maxSteps, 1);
  }

  /** Steps of the episode so far. */
  get stepCount(): number {
    return this.#steps;
  }

  protected override async onReset(options: ResetOptions): Promise<TimeStep> {
    const first = await super.onReset(options);
    this.#steps = 0;
    return first;
  }

  protected override async onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const step = await super.onStep(action, signal);
    this.#steps += 1;
    if (step.done || this.#steps < this.#maxSteps) return step;
    return cutOff(step, { verdict: await this.verdict(signal) });
  }
}
