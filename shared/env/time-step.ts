import type { StepInfo, TimeStep, Verdict } from "./protocol.ts";

/** A time step with `done` as it follows; reward 0 and nothing ended where not said. */
export function timeStep(facts: {
  readonly observation: string;
  readonly reward?: number;
  readonly terminated?: boolean;
  readonly truncated?: boolean;
  readonly info?: StepInfo;
}): TimeStep {
  const { observation, reward = 0, terminated = false, truncated = false, info = {} } = facts;
  return { observation, reward, terminated, truncated, done: terminated || truncated, info };
}

/** The step as the last of an episode that was cut off, with how the task stood then. */
export function cutOff(
  step: TimeStep,
  { verdict, info = {} }: { readonly verdict: Verdict | undefined; readonly info?: StepInfo },
): TimeStep {
  return judged({ ...step, truncated: true, done: true, info: { ...step.info, ...info } }, verdict);
}

/** The last step with what its task's judge says. */
export function judged(step: TimeStep, verdict: Verdict | undefined): TimeStep {
  if (verdict === undefined) return step;
  const { reward = 0, ...facts } = verdict;
  return { ...step, reward: step.reward + reward, info: { ...step.info, ...facts } };
}
