import type { BootstrapOptions } from "./bootstrap.ts";
import { bootstrapMeans } from "./bootstrap-means.ts";
import { StatisticsInputError } from "./inputs.ts";
import { type Estimate, notDefined } from "./result.ts";

/** How often a task was attempted and solved. */
export interface AttemptCounts {
  readonly attempts: number;
  readonly successes: number;
}

/**
 * How often at least one of k attempts drawn from those made solves a task: 1 − C(n − c, k) / C(n, k), which is without
 * bias (Chen et al. 2021, "Evaluating large language models trained on code"). Null with fewer than k attempts.
 */
export function passAtKOf({ attempts, successes }: AttemptCounts, k: number): number | null {
  if (attempts < k) return null;
  let failing = 1;
  for (let drawn = 0; drawn < k; drawn += 1) {
    failing *= Math.max(0, attempts - successes - drawn) / (attempts - drawn);
  }
  return 1 - failing;
}

/**
 * Mean pass@k over tasks, with a bootstrap interval that draws tasks. Not defined (`too_few`) where a task has fewer than
 * k attempts: leaving it out would favour the tasks that were tried more often.
 * @param k a whole number from 1
 * @throws StatisticsInputError where k or a count is none, or successes exceed attempts
 */
export function passAtK(
  tasks: readonly AttemptCounts[],
  { k, ...options }: { readonly k: number } & Omit<BootstrapOptions, "clusters">,
): Estimate {
  if (!(Number.isSafeInteger(k) && k >= 1)) throw new StatisticsInputError(`k is ${k}: give 1 or more`);
  for (const [index, { attempts, successes }] of tasks.entries()) {
    const whole = Number.isSafeInteger(attempts) && Number.isSafeInteger(successes);
    if (!whole || successes < 0 || successes > attempts) {
      throw new StatisticsInputError(
        `task ${index} has ${successes} successes of ${attempts} attempts: give counts, the first at most the second`,
      );
    }
  }
  const values = tasks.map((task) => passAtKOf(task, k)).filter((value) => value !== null);
  if (values.length < tasks.length) return notDefined(tasks.length, "too_few");
  const clusters = values.map((_, index) => String(index));
  return bootstrapMeans({ rate: { values, clusters } }, options).rate;
}
