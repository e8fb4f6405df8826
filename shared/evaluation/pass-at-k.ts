import type { AgentFigures, Evaluation } from "../contracts/evaluation.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import { passAtKOf } from "../statistics/pass-at-k.ts";
import { proportion } from "../statistics/wilson.ts";
import { taskBootstrap } from "./task-bootstrap.ts";
import { valuesByTask } from "./task-means.ts";

/** At most so many values of k. */
const MOST = 6;

/**
 * Mean pass@k over tasks for k = 1, 2, 4, … and the number of verdicts that every task has: a greater k would leave tasks
 * out, and favour those that failed less often. Means of 0 or 1 have Wilson's interval over tasks.
 */
export function passAtK(
  episodes: readonly EvaluationEpisode[],
  settings: Evaluation["settings"],
): AgentFigures["pass_at_k"] {
  const tasks = [...valuesByTask(episodes, "success").values()].map((verdicts) => ({
    attempts: verdicts.length,
    successes: verdicts.filter((each) => each === 1).length,
  }));
  const least = tasks.length === 0 ? 0 : Math.min(...tasks.map(({ attempts }) => attempts));
  return ksUpTo(least).map((k) => {
    const chances = tasks.flatMap((task) => passAtKOf(task, k) ?? []);
    const solved = chances.filter((chance) => chance === 1).length;
    const settled = solved === chances.length || chances.every((chance) => chance === 0);
    const estimate = settled
      ? proportion(solved, chances.length, { level: settings.level })
      : taskBootstrap(chances, settings);
    return { k, estimate };
  });
}

function ksUpTo(most: number): readonly number[] {
  const powers = Array.from({ length: MOST }, (_, index) => 2 ** index).filter((k) => k < most);
  return most === 0 ? [] : [...powers, most];
}
