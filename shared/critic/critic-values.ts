import type { ValueModel } from "../ports/value-model.ts";
import type { CriticRun } from "./critic-step.ts";
import { criticFeatureNames, prefixVectors } from "./features.ts";

/** What the critic thinks of a trajectory as it goes on. */
export interface CriticValues {
  /** P(success) before the first agent step. */
  readonly initial: number;
  /** P(success) after each agent step. */
  readonly values: readonly number[];
  /**
   * What each agent step changed: value after it minus value before it. Their sum is last value − `initial`. As a
   * shaping reward such differences leave the best policy what it is (Ng, Harada and Russell, 1999).
   */
  readonly credits: readonly number[];
}

/**
 * @param set number of the run's set with this critic (`criticSetNumber`)
 * @throws ValueModelError
 */
export async function criticValues(run: CriticRun, model: ValueModel, set = 0): Promise<CriticValues> {
  const width = criticFeatureNames.length;
  const count = run.steps.length + 1;
  const rows = new Float32Array(count * width);
  let at = 0;
  for (const vector of prefixVectors(run)) {
    rows.set(vector, at);
    at += width;
  }
  const [initial = 0, ...values] = await model.predict(rows, count, set);
  return { initial, values, credits: values.map((value, index) => value - (values[index - 1] ?? initial)) };
}
