import { bucketsOf, lshPlan } from "../../curation/lsh.ts";
import { PERMUTATIONS } from "../../curation/minhash.ts";
import type { PromptSketch } from "./prompt-sketch.ts";
import { SplitTable } from "./split-table.ts";

/** Prompts whose signatures are held: 51 MB. */
const MOST = 100_000;
/** Of one bucket so many are compared with each other. */
const MOST_OF_BUCKET = 64;

/** A row of a split. */
export interface RowPlace {
  /** Number of the split, from 1. */
  readonly split: number;
  readonly row: number;
  readonly id: string | null;
}

/** Finds prompts of different splits that are equal or nearly so. */
export class PromptLeaks {
  readonly #most: number;
  readonly #equal = new SplitTable();
  readonly #seen = new Set<number>();
  readonly #places: RowPlace[] = [];
  #signatures = new Int32Array(PERMUTATIONS * 64);
  readonly #found = new Map<number, RowPlace>();
  #left = 0;

  constructor(most = MOST) {
    this.#most = most;
  }

  add({ hash, signature }: PromptSketch, place: RowPlace): void {
    if (this.#equal.note(hash, place) !== undefined && !this.#found.has(hash)) this.#found.set(hash, place);
    const key = (hash % 2 ** 50) * 8 + place.split;
    if (this.#seen.has(key)) return;
    if (this.#places.length >= this.#most) {
      this.#left += 1;
      return;
    }
    this.#seen.add(key);
    const at = this.#places.length * PERMUTATIONS;
    if (at + PERMUTATIONS > this.#signatures.length) {
      const longer = new Int32Array(this.#signatures.length * 2);
      longer.set(this.#signatures);
      this.#signatures = longer;
    }
    this.#signatures.set(signature, at);
    this.#places.push(place);
  }

  /** Prompts that have a like one in another split, each once. `left`: prompts beyond what is held, compared as a whole only. */
  finish(threshold: number): { readonly places: readonly RowPlace[]; readonly left: number } {
    const signatures = this.#signatures.subarray(0, this.#places.length * PERMUTATIONS);
    const { bands, rows } = lshPlan(threshold);
    const near = new Set<number>();
    for (let band = 0; band < bands && threshold < 1; band += 1) {
      for (const bucket of bucketsOf(signatures, { band, rows })) {
        for (const later of this.#leaksOf(bucket.slice(0, MOST_OF_BUCKET), { signatures, threshold }))
          near.add(later);
      }
    }
    const equal = [...this.#found.values()];
    const known = new Set(equal.map(({ split, row }) => `${split} ${row}`));
    const others = [...near]
      .sort((a, b) => a - b)
      .flatMap((index) => this.#places[index] ?? [])
      .filter(({ split, row }) => !known.has(`${split} ${row}`));
    return { places: [...equal, ...others], left: this.#left };
  }

  *#leaksOf(
    bucket: readonly number[],
    { signatures, threshold }: { readonly signatures: Int32Array; readonly threshold: number },
  ): Generator<number> {
    for (const [position, later] of bucket.entries()) {
      const own = this.#places[later]?.split;
      const isLeak = bucket
        .slice(0, position)
        .some(
          (earlier) =>
            this.#places[earlier]?.split !== own &&
            likeness(signatures, { one: earlier, other: later }) >= threshold,
        );
      if (isLeak) yield later;
    }
  }
}

/** The share of places in which two signatures agree: an estimate of the Jaccard index, ±0.03 at 0.9. */
function likeness(
  signatures: Int32Array,
  { one, other }: { readonly one: number; readonly other: number },
): number {
  let equal = 0;
  for (let at = 0; at < PERMUTATIONS; at += 1) {
    if (signatures[one * PERMUTATIONS + at] === signatures[other * PERMUTATIONS + at]) equal += 1;
  }
  return equal / PERMUTATIONS;
}
