import { scoreEfficiency, scoreOutcome, scoreRelativeLength } from "./outcome.ts";
import type { Calibration, HumanReading, StepReference } from "./readings.ts";
import { round4, round4OrNull } from "./rounding.ts";
import type { Rubric } from "./rubrics.ts";
import type { ScoreDocument, ScoreLayer } from "./score-document.ts";
import type { ScoreRequest } from "./score-rules.ts";
import { combineSignals } from "./signals/trajectory-signals.ts";
import { type ComposedStep, clamp, weightedMean, weightOf } from "./step-score.ts";

/** The means over the steps that were scored, and which layers scored any. */
export class ProcessScore {
  count = 0;
  readonly scored = new Set<"rules" | "model" | "critic" | "human">();
  readonly total = new StepMean();
  /** Without people and calibration. */
  readonly automatic = new StepMean();
  readonly automaticShare = new StepMean();
  readonly model = new StepMean();
  readonly rawModel = new StepMean();

  add({ total, automatic, automaticShare, rawModel, layers }: ComposedStep): void {
    this.count++;
    if (layers.rules !== null) this.scored.add("rules");
    if (layers.model !== null) this.scored.add("model");
    if (layers.critic !== null) this.scored.add("critic");
    if (layers.human !== null) this.scored.add("human");
    this.total.add(total);
    this.automatic.add(automatic);
    if (total !== null) this.automaticShare.add(automaticShare);
    this.model.add(layers.model);
    this.rawModel.add(rawModel);
  }
}

class StepMean {
  #sum = 0;
  #counted = 0;

  add(value: number | null): void {
    if (value === null) return;
    this.#sum += value;
    this.#counted++;
  }

  value(): number | null {
    return this.#counted > 0 ? this.#sum / this.#counted : null;
  }
}

type Total = Pick<
  ScoreDocument,
  | "total"
  | "outcome"
  | "process"
  | "model"
  | "efficiency"
  | "signals"
  | "critic"
  | "human"
  | "layers"
  | "parts"
  | "signal_scores"
  | "critic_model"
  | "annotators"
  | "calibration"
  | "automatic"
  | "reference"
>;

/** The total of a trajectory and what it is made of. */
export function totalOf({
  request,
  means,
  rubrics,
}: {
  readonly request: ScoreRequest;
  readonly means: ProcessScore;
  readonly rubrics: readonly Rubric[];
}): Total {
  const { config, calibration } = request;
  const outcome = outcomeOf(request);
  // knowlyr-gym totals an empty trajectory 0, whatever its outcome.
  if (means.count === 0 && config.composition === "compatible" && config.unscored === "neutral") {
    const none = { process: 0, model: null, efficiency: 0, signals: null, critic: null, human: null };
    return { total: 0, outcome: round4OrNull(outcome), ...none, layers: [], parts: [], signal_scores: [] };
  }
  const mended = config.composition === "mended";
  const { efficiency, reference } = efficiencyOf(request, means.count);
  const signalScores = mended ? (request.signals ?? []) : [];
  const signals = combineSignals(signalScores);
  const rawCritic = mended ? (request.critic?.values.at(-1) ?? null) : null;
  const rawProcess = means.automatic.value();
  const human = mended && request.human !== undefined ? humanOf(request.human, rubrics) : null;
  // A calibration says what people would give for an automatic score: what they did give stands beside it as it is.
  const apply = (layer: Calibration["layer"], value: number | null): number | null =>
    value !== null && calibration?.layer === layer ? calibration.apply(value) : value;
  const process =
    calibration?.layer === "process" ? calibratedProcess(means, calibration) : means.total.value();
  const critic = apply("critic", rawCritic);
  // Of the two, the one that has nothing to say leaves its share to the other.
  const signalShare = signals === null ? 0 : process === null ? 1 : config.signalShare;
  const signalWeight = config.processWeight * signalShare;
  const stepWeight = config.processWeight - signalWeight;
  const terms = [
    ["outcome", outcome, config.outcomeWeight],
    ["process", process, stepWeight],
    ["efficiency", efficiency, config.efficiencyWeight],
    ["signals", signals, signalWeight],
    ["critic", critic, config.criticWeight],
    ["human", human, config.humanWeight],
  ] as const;
  const rawTotal = weightedMean([
    [outcome, config.outcomeWeight],
    [rawProcess, stepWeight],
    [efficiency, config.efficiencyWeight],
    [signals, signalWeight],
    [rawCritic, config.criticWeight],
  ]);
  const weighted = terms.map(([, value, weight]) => [value, weight] as const);
  const total =
    calibration?.layer === "total"
      ? weightedMean([
          [rawTotal === null ? null : calibration.apply(rawTotal), weightOf(weighted.slice(0, -1))],
          [human, config.humanWeight],
        ])
      : weightedMean(weighted);
  const parts: ScoreDocument["parts"] = [];
  for (const [part, value, weight] of terms) {
    if (value !== null && weight > 0) parts.push({ part, value: round4(value), weight: round4(weight) });
  }
  const automatic = (): Automatic => ({
    total: rawTotal ?? 0,
    process: rawProcess,
    model: means.rawModel.value(),
    critic: rawCritic,
  });
  return {
    total: round4(total ?? 0),
    outcome: round4OrNull(outcome),
    process: round4OrNull(process),
    model: round4OrNull(means.model.value()),
    efficiency: round4OrNull(efficiency),
    signals: round4OrNull(signals),
    critic: round4OrNull(critic),
    human: round4OrNull(human),
    layers: layersOf(parts, means),
    parts,
    signal_scores: [...signalScores],
    ...(critic === null || request.critic === undefined
      ? {}
      : { critic_model: { version: request.critic.version, initial: round4(request.critic.initial) } }),
    ...(human === null || request.human === undefined ? {} : { annotators: request.human.annotators }),
    ...(calibration === undefined
      ? {}
      : { calibration: { version: calibration.version, layer: calibration.layer } }),
    ...(calibration === undefined && request.human === undefined
      ? {}
      : { automatic: roundedAll(automatic()) }),
    ...(reference === undefined ? {} : { reference }),
  };
}

/** The curve moves the mean of the automatic step scores; of that move counts what is not people's of the steps. */
function calibratedProcess(
  { total, automatic, automaticShare }: ProcessScore,
  { apply }: Calibration,
): number | null {
  const [mean, before] = [total.value(), automatic.value()];
  if (mean === null || before === null) return mean;
  return clamp(mean + (apply(before) - before) * (automaticShare.value() ?? 1));
}

type Automatic = NonNullable<ScoreDocument["automatic"]>;

function roundedAll({ total, process, model, critic }: Automatic): Automatic {
  return {
    total: round4(total),
    process: round4OrNull(process),
    model: round4OrNull(model),
    critic: round4OrNull(critic),
  };
}

function outcomeOf({ outcome, profile, config }: ScoreRequest): number | null {
  return scoreOutcome(outcome, profile.outcomeSpec) ?? (config.unscored === "neutral" ? 0 : null);
}

function efficiencyOf(
  { config, referenceSteps, reference }: ScoreRequest,
  steps: number,
): { readonly efficiency: number | null; readonly reference?: StepReference } {
  const isNeutral = config.unscored === "neutral";
  const given = referenceSteps ?? config.referenceSteps;
  const known = typeof given === "number" && Number.isFinite(given) && given > 0 ? given : null;
  const used: StepReference | undefined =
    known !== null
      ? { steps: known, of: "given", n: 0 }
      : config.composition === "mended"
        ? reference
        : undefined;
  if (used === undefined) return { efficiency: isNeutral ? 1 : null };
  if (steps === 0 && !isNeutral) return { efficiency: null };
  const efficiency =
    used.of === "given" ? scoreEfficiency(steps, used.steps) : scoreRelativeLength(steps, used.steps);
  return { efficiency, reference: used };
}

/** What people said: the rubrics that the set leaves to people where they scored any, else their overall score. */
function humanOf(human: HumanReading, rubrics: readonly Rubric[]): number {
  const own = weightedMean(
    rubrics
      .filter(({ evaluator }) => evaluator === "human")
      .map(({ id, weight }) => [human.rubrics.get(id) ?? null, weight]),
  );
  return own ?? human.score;
}

function layersOf(parts: ScoreDocument["parts"], { scored }: ProcessScore): ScoreLayer[] {
  const of = new Set(parts.map(({ part }) => part));
  const steps = of.has("process");
  const layers: ScoreLayer[] = [];
  if (of.has("outcome")) layers.push("outcome");
  if (steps && scored.has("rules")) layers.push("rules");
  if (of.has("signals")) layers.push("signals");
  if (steps && scored.has("model")) layers.push("model");
  if (of.has("critic") || (steps && scored.has("critic"))) layers.push("critic");
  if (of.has("human") || (steps && scored.has("human"))) layers.push("human");
  if (of.has("efficiency")) layers.push("efficiency");
  return layers;
}
