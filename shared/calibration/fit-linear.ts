import { meanOf } from "../statistics/mean.ts";
import type { CalibratorOf } from "./calibrator.ts";

/** A score and what it should become, both in [0, 1]. */
export interface FitPoint {
  readonly score: number;
  readonly human: number;
}

/** Least squares; where the line would fall, the level line at the mean, which is the best that does not. */
export function fitLinear(points: readonly FitPoint[]): CalibratorOf<"linear"> {
  const [x, y] = [meanOf(points.map(({ score }) => score)), meanOf(points.map(({ human }) => human))];
  let [xx, xy] = [0, 0];
  for (const { score, human } of points) {
    xx += (score - x) ** 2;
    xy += (score - x) * (human - y);
  }
  const slope = xx > 0 ? Math.max(0, xy / xx) : 0;
  return { method: "linear", parameters: { slope, intercept: y - slope * x } };
}
