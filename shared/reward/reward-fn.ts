import { getDomainProfile, isBuiltinDomain, listDomainProfiles } from "../domains/builtin.ts";
import type { DomainProfile } from "../domains/profile.ts";
import { parseRewardConfig, type RewardConfigInput } from "./config.ts";
import { type RubricBook, rubricsOf } from "./rubrics.ts";
import type { Deduction } from "./rule-result.ts";
import { placeCall, type RuleCall, type RuleStep } from "./rule-step.ts";
import type { RuleTracker } from "./rule-tracker.ts";
import { CompatibleRuleTracker } from "./rules-compatible.ts";
import { MendedRuleTracker } from "./rules-mended.ts";
import type { StepScore } from "./score-document.ts";
import { callReader, classifierOf } from "./step-calls.ts";
import { stepDocument } from "./step-document.ts";
import { createStepComposer } from "./step-score.ts";

/** What an environment rewards by. */
export interface RewardFnSettings {
  /** A built-in domain, or a profile of one's own. */
  readonly domain: string | DomainProfile;
  readonly config?: RewardConfigInput | undefined;
  readonly rubrics?: RubricBook | undefined;
}

/** What a step is worth, at the time it is taken. */
export interface StepReward {
  /** In [0, 1]; null where no rule applies to the step. */
  readonly reward: number | null;
  /** The step as `scoreTrajectoryByRules` scores it at the end of the run so far. */
  readonly score: StepScore;
  /** Deductions from earlier steps that only this step brought to light: tests that a change had broken. */
  readonly corrections: readonly StepCorrection[];
}

export interface StepCorrection {
  readonly step: number;
  readonly call: number;
  readonly deduction: Deduction;
}

/** The environment's domain is not known. */
export class UnknownDomainError extends Error {
  override readonly name = "UnknownDomainError";
  constructor(domain: string) {
    super(
      `there is no domain "${domain}" to reward by: give one of ${listDomainProfiles().join(", ")}, or a profile`,
    );
  }
}

/**
 * Rewards the steps of one run, one after another, by the rules. Each step's score is that of `scoreTrajectoryByRules`
 * for the run up to it, at a cost that depends on the step and not on the run before it. Make one for each run.
 *
 * @throws UnknownDomainError, RewardConfigError
 */
export function makeRewardFn(settings: RewardFnSettings): (step: RuleStep) => StepReward {
  return rewardFns(settings)();
}

/**
 * The reward as knowlyr-gym's environments ask for it: all steps so far, the last of them just taken, one call each.
 * What the run has in common with one that was scored before is not scored again, as long as its steps are the same
 * objects, unchanged; any other history is scored from its start. 0 where no rule applies.
 *
 * @throws UnknownDomainError, RewardConfigError
 */
export function makeHistoryRewardFn(
  settings: RewardFnSettings,
): (steps: readonly RuleCall[], action?: unknown) => number {
  const start = rewardFns(settings);
  const runs = new WeakMap<readonly RuleCall[], Run>();
  let latest: Run | undefined;
  return (steps) => {
    const known = [runs.get(steps), latest].find((run) => run?.goesOnIn(steps) === true);
    const run = known ?? new Run(start());
    runs.set(steps, run);
    latest = run;
    return run.rewardOf(steps);
  };
}

/** A run that is asked for as a history that grows. */
class Run {
  readonly #reward: (step: RuleStep) => StepReward;
  readonly #seen: RuleCall[] = [];
  #last = 0;

  constructor(reward: (step: RuleStep) => StepReward) {
    this.#reward = reward;
  }

  /** Comparing references costs next to nothing beside scoring, and finds a step that was exchanged. */
  goesOnIn(steps: readonly RuleCall[]): boolean {
    return this.#seen.length <= steps.length && this.#seen.every((step, index) => step === steps[index]);
  }

  rewardOf(steps: readonly RuleCall[]): number {
    for (const call of steps.slice(this.#seen.length)) {
      this.#last = this.#reward({ calls: [call] }).reward ?? 0;
      this.#seen.push(call);
    }
    return this.#last;
  }
}

/** Checks the settings once, for as many runs as there will be. */
function rewardFns({ domain, config, rubrics }: RewardFnSettings): () => (step: RuleStep) => StepReward {
  const profile = typeof domain === "string" ? builtin(domain) : domain;
  const parsed = parseRewardConfig(config, "(reward function)");
  const classifier = classifierOf(profile);
  const composer = createStepComposer({
    rubrics: rubricsOf(profile, rubrics),
    config: parsed,
    calibrateModel: undefined,
  });
  const compatible = parsed.composition === "compatible";
  const callsOf = callReader(compatible, classifier);
  return () => {
    const tracker: RuleTracker = compatible
      ? new CompatibleRuleTracker(classifier)
      : new MendedRuleTracker(classifier);
    let index = 0;
    let calls = 0;
    return (step) => {
      const placed = callsOf(step).map((raw, call) =>
        placeCall(raw, { index: calls + call, step: index, call }),
      );
      const { scores, broken } = tracker.step(placed);
      const { composed, document } = stepDocument({
        index,
        calls: placed,
        scores,
        others: { model: null, credit: null, human: null },
        composer,
      });
      index += 1;
      calls += placed.length;
      const corrections = broken.flatMap(({ change, score }): readonly StepCorrection[] =>
        score.deduction === null
          ? []
          : [{ step: change.step, call: change.call, deduction: score.deduction }],
      );
      return { reward: composed.total, score: document, corrections };
    };
  };
}

function builtin(domain: string): DomainProfile {
  if (!isBuiltinDomain(domain)) throw new UnknownDomainError(domain);
  return getDomainProfile(domain);
}
