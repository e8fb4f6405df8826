import { checkFeatures } from "./check-features.ts";
import type { CriticRun, CriticStep } from "./critic-step.ts";
import { dialogueFeatures } from "./dialogue-features.ts";
import { editFeatures } from "./edit-features.ts";
import type { Feature, FeatureGroup, FeatureGroupSpec } from "./feature-group.ts";
import { groundingFeatures } from "./grounding-features.ts";
import { shapeFeatures } from "./shape-features.ts";
import { troubleFeatures } from "./trouble-features.ts";

/** Rises whenever a feature is added, removed or computed differently; a critic works with its own version only. */
export const FEATURES_VERSION = 1;

const groups: readonly FeatureGroupSpec[] = [
  shapeFeatures,
  troubleFeatures,
  editFeatures,
  checkFeatures,
  dialogueFeatures,
  groundingFeatures,
];
/** Domains that have a feature of their own. */
const domains = ["coding", "browser", "conversation"] as const;

/** Name and meaning of every feature, in the order of the vector. */
export const criticFeatures: readonly Feature[] = [
  ...domains.map((domain) => [`domain_${domain}`, `the domain is "${domain}"`] as const),
  ...groups.flatMap(({ features }) => features),
];

export const criticFeatureNames: readonly string[] = criticFeatures.map(([name]) => name);

/**
 * Behavioural features of a trajectory up to now: what kinds of calls were made, how they went, what repeats,
 * what was changed and tried out. No words of task, agent or tools, no names; they depend on the steps added so
 * far and on the domain only. Every value is finite and has at most four decimal places. Adding a step costs time
 * in proportion to the step, whatever came before it.
 */
export class PrefixFeatures {
  readonly #domain: readonly number[];
  readonly #groups: readonly FeatureGroup[];
  constructor({ domain, asked }: Pick<CriticRun, "domain" | "asked">) {
    this.#groups = groups.map(({ create }) => create(asked));
    this.#domain = domains.map((each) => (each === domain ? 1 : 0));
  }

  add(step: CriticStep): void {
    for (const group of this.#groups) group.add(step);
  }

  /** The vector as it stands; `criticFeatureNames` names its entries. */
  values(): readonly number[] {
    return [...this.#domain, ...this.#groups.flatMap((group) => group.values())].map(round4);
  }
}

function round4(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

/** One vector for each prefix, from none of the steps to all of them. */
export function* prefixVectors(run: CriticRun): Generator<readonly number[]> {
  const features = new PrefixFeatures(run);
  yield features.values();
  for (const step of run.steps) {
    features.add(step);
    yield features.values();
  }
}
