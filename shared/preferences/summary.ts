import { round4 } from "../reward/rounding.ts";
import { type AttemptPair, marginOf, type PairSource } from "./attempt.ts";
import { LengthTally } from "./length.ts";

/** Reward differences of pairs, four decimal places; null where there is no pair. */
export interface MarginFacts {
  readonly n: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

export interface SummaryFacts {
  readonly pairs: number;
  readonly tasks: number;
  readonly bySource: Readonly<Record<PairSource, number>>;
  readonly margins: MarginFacts;
}

/** Adds up the pairs that were made. */
export class PreferenceSummary {
  readonly lengths = new LengthTally();
  readonly #tasks = new Set<string>();
  readonly #bySource: Record<PairSource, number> = { reward: 0, votes: 0, judge: 0 };
  #sum = 0;
  #n = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  add(task: string, pair: AttemptPair): void {
    const margin = marginOf(pair);
    this.#tasks.add(task);
    this.#bySource[pair.source] += 1;
    this.#n += 1;
    this.#sum += margin;
    this.#min = Math.min(this.#min, margin);
    this.#max = Math.max(this.#max, margin);
    this.lengths.add(pair);
  }

  facts(): SummaryFacts {
    const n = this.#n;
    const figure = (value: number): number | null => (n === 0 ? null : round4(value));
    return {
      pairs: n,
      tasks: this.#tasks.size,
      bySource: { ...this.#bySource },
      margins: { n, mean: figure(this.#sum / n), min: figure(this.#min), max: figure(this.#max) },
    };
  }
}
