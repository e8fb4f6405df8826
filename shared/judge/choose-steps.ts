/** Which steps a judge is asked about. */
export interface StepChoice {
  readonly choice: "all" | "even";
  /** Ascending, each once. */
  readonly indices: readonly number[];
}

/** All steps, or of more than `maxSteps` as many spread evenly; null sets no limit. */
export function chooseSteps(total: number, maxSteps: number | null): StepChoice {
  if (maxSteps === null || total <= maxSteps) return { choice: "all", indices: [...Array(total).keys()] };
  return { choice: "even", indices: evenIndices(total, maxSteps) };
}

/**
 * `count` of the indices below `total`, ascending: the first and the last, and others whose gaps differ by one at the
 * most. All of them where there are no more than `count`; where one is wanted, the last.
 */
export function evenIndices(total: number, count: number): readonly number[] {
  if (count >= total) return [...Array(total).keys()];
  if (count < 2) return count === 1 ? [total - 1] : [];
  return Array.from({ length: count }, (_, i) => Math.round((i * (total - 1)) / (count - 1)));
}
