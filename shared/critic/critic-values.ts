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

/** @throws ValueModelError */
export async function criticValues(run: CriticRun, model: ValueModel): Promise<CriticValues> {
  const vectors = prefixVectors(run);
  const width = criticFeatureNames.length;
  const rows = new Float32Array(vectors.length * width);
  vectors.forEach((vector, index) => {
    rows.set(vector, index * width);
  });
  const [initial = 0, ...values] = await model.predict(rows, vectors.length);
  return { initial, values, credits: values.map((value, index) => value - (values[index - 1] ?? initial)) };
}
