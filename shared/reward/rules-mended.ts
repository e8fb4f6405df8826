import type { ToolClassifier } from "../domains/tool-classifier.ts";
import { CallViewer, viewCalls } from "./call-view.ts";
import { InfoUseTracker, infoUseScores } from "./info-use.ts";
import { RedundancyTracker, redundancyScores } from "./redundancy.ts";
import { type BrokenTests, RegressionTracker, regressionScores } from "./regression.ts";
import { type CallScores, notApplicable, passed } from "./rule-result.ts";
import type { PlacedCall } from "./rule-step.ts";
import type { RuleTracker, TrackedStep } from "./rule-tracker.ts";

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

/** The same, step by step. */
export class MendedRuleTracker implements RuleTracker {
  readonly #viewer: CallViewer;
  readonly #redundancy = new RedundancyTracker();
  readonly #regression = new RegressionTracker();
  readonly #info = new InfoUseTracker();

  constructor(classifier: ToolClassifier) {
    this.#viewer = new CallViewer(classifier);
  }

  step(calls: readonly PlacedCall[]): TrackedStep {
    const views = calls.map((call) => this.#viewer.view(call));
    const info = this.#info.scores(views);
    const broken: BrokenTests[] = [];
    const scores = views.map((view, i): CallScores => {
      const regression = this.#regression.score(view);
      if (regression.broken !== null) broken.push(regression.broken);
      return {
        redundancy: this.#redundancy.score(view),
        regression: regression.score,
        infoUtilization: info[i] ?? notApplicable,
      };
    });
    const earlier = broken.filter(({ change, score }) => {
      const own = change.step === calls[0]?.step ? scores[change.call] : undefined;
      if (own !== undefined) scores[change.call] = { ...own, regression: score };
      return own === undefined;
    });
    return { scores, broken: earlier };
  }
}
