import type { ToolClassifier } from "../domains/tool-classifier.ts";
import { viewCalls } from "./call-view.ts";
import { infoUseScores } from "./info-use.ts";
import { redundancyScores } from "./redundancy.ts";
import { regressionScores } from "./regression.ts";
import { type CallScores, notApplicable, passed } from "./rule-result.ts";
import type { PlacedCall } from "./rule-step.ts";

/** The three rules for every call, each in one pass over the trajectory. */
export function scoreCallsMended(
  calls: readonly PlacedCall[],
  classifier: ToolClassifier,
): readonly CallScores[] {
  const views = viewCalls(calls, classifier);
  const redundancy = redundancyScores(views);
  const regression = regressionScores(views);
  const info = infoUseScores(views);
  return calls.map((_, i) => ({
    redundancy: redundancy[i] ?? passed,
    regression: regression[i] ?? passed,
    infoUtilization: info[i] ?? notApplicable,
  }));
}
