import { makeRewardFn, type RewardFnSettings, type StepReward } from "../../reward/reward-fn.ts";
import type { RuleCall, RuleStep } from "../../reward/rule-step.ts";
import type { Action, AgentEnv, ResetOptions, TimeStep } from "../protocol.ts";
import { EnvWrapper } from "./env-wrapper.ts";

/** All steps of the episode, the one just taken last. */
export type RewardFn = (steps: readonly RuleCall[], action: Action) => number | Promise<number>;

export type RewardSource =
  | { readonly fn: RewardFn }
  /** Rewards by the scoring rules; the environment's domain where none is given. */
  | { readonly rules: Partial<RewardFnSettings> };

/**
 * Puts a reward of one's own in the place of the environment's. A function that throws, or gives no finite number, does
 * not end the episode: the environment's reward stays, and `info.rewardError` says why. By rules, `info.stepScore` holds
 * what the reward is made of, and `info.rewardCorrections` deductions from earlier steps that this one brought to light.
 */
export class Reward extends EnvWrapper {
  readonly #source: RewardSource;
  #steps: RuleCall[] = [];
  #rules: ((step: RuleStep) => StepReward) | undefined;

  /** @throws UnknownDomainError, RewardConfigError */
  constructor(env: AgentEnv, source: RewardSource) {
    super(env);
    this.#source = source;
    this.#rules = this.#freshRules();
  }

  protected override async onReset(options: ResetOptions): Promise<TimeStep> {
    const first = await super.onReset(options);
    this.#steps = [];
    this.#rules = this.#freshRules();
    return first;
  }

  protected override async onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const step = await super.onStep(action, signal);
    const { tool, params } = action;
    const { exitCode } = step.info;
    const call = { tool, params, output: step.observation, ...(exitCode === undefined ? {} : { exitCode }) };
    this.#steps.push(call);
    try {
      const { reward, info } = await this.#rewardOf(call, action);
      if (Number.isFinite(reward)) return { ...step, reward, info: { ...step.info, ...info } };
      return failed(step, `the reward function gave ${reward}, no finite number`);
    } catch (error) {
      return failed(step, error instanceof Error ? error.message : String(error));
    }
  }

  async #rewardOf(call: RuleCall, action: Action): Promise<{ reward: number; info?: TimeStep["info"] }> {
    if ("fn" in this.#source) return { reward: await this.#source.fn([...this.#steps], action) };
    const scored = this.#rules?.({ calls: [call] });
    if (scored === undefined) throw new Error("the episode was not reset");
    const { reward, score, corrections } = scored;
    return { reward: reward ?? 0, info: { stepScore: score, rewardCorrections: corrections } };
  }

  #freshRules(): ((step: RuleStep) => StepReward) | undefined {
    if ("fn" in this.#source) return undefined;
    return makeRewardFn({ domain: this.env.domain, ...this.#source.rules });
  }
}

function failed(step: TimeStep, rewardError: string): TimeStep {
  return { ...step, info: { ...step.info, rewardError } };
}
