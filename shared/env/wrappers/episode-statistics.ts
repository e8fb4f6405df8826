import type { Clock } from "../../ports/clock.ts";
import type { Action, AgentEnv, ResetOptions, TimeStep } from "../protocol.ts";
import { EnvWrapper } from "./env-wrapper.ts";

/** Sum of rewards (4 decimals), number of steps, seconds (2 decimals). */
export interface EpisodeFigures {
  readonly r: number;
  readonly l: number;
  readonly t: number;
}

/** Puts reward, length and duration of an episode into `info.episode` of its last step. */
export class EpisodeStatistics extends EnvWrapper {
  readonly #clock: Clock;
  #reward = 0;
  #steps = 0;
  #startedAt = 0;

  constructor(env: AgentEnv, { clock }: { readonly clock: Clock }) {
    super(env);
    this.#clock = clock;
  }

  protected override async onReset(options: ResetOptions): Promise<TimeStep> {
    const first = await super.onReset(options);
    this.#reward = 0;
    this.#steps = 0;
    this.#startedAt = this.#clock.now();
    return first;
  }

  protected override async onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const step = await super.onStep(action, signal);
    this.#reward += step.reward;
    this.#steps += 1;
    if (!step.done) return step;
    const episode: EpisodeFigures = {
      r: rounded(this.#reward, 4),
      l: this.#steps,
      t: rounded((this.#clock.now() - this.#startedAt) / 1000, 2),
    };
    return { ...step, info: { ...step.info, episode } };
  }
}

function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}
