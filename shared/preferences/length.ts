import { type AttemptPair, marginOf } from "./attempt.ts";

/** How long the chosen attempt is beside the rejected one. */
export type LengthOrder = "longer" | "shorter" | "equal" | "unknown";

export function lengthOrder({ chosen, rejected }: Pick<AttemptPair, "chosen" | "rejected">): LengthOrder {
  if (chosen.steps === null || rejected.steps === null) return "unknown";
  if (chosen.steps === rejected.steps) return "equal";
  return chosen.steps > rejected.steps ? "longer" : "shorter";
}

/** Counts pairs by the length of their chosen attempt. */
export class LengthTally {
  readonly counts: Record<LengthOrder, number> = { longer: 0, shorter: 0, equal: 0, unknown: 0 };

  add(pair: Pick<AttemptPair, "chosen" | "rejected">): void {
    this.counts[lengthOrder(pair)] += 1;
  }

  merge(other: LengthTally): void {
    for (const order of ["longer", "shorter", "equal", "unknown"] as const) {
      this.counts[order] += other.counts[order];
    }
  }
}

/**
 * Keeps the share of pairs whose chosen attempt is the longer one at or below a bound, so that a model does not learn
 * that longer is better. All pairs are noted first, then each is asked for in the same order: of those whose chosen
 * one is longer, as many as the bound allows stay, votes first, then the widest margins. Holds one number per pair.
 *
 * With m other pairs of known length, at most ⌊m · share / (1 − share)⌋ may stay.
 */
export class LongerShareLimit {
  readonly #share: number;
  readonly #margins: number[] = [];
  #others = 0;
  #bound: { readonly margin: number; atBound: number } | undefined;

  constructor(share: number) {
    this.#share = share;
  }

  note(pair: AttemptPair): void {
    const order = lengthOrder(pair);
    if (order === "longer") this.#margins.push(weightOf(pair));
    else if (order !== "unknown") this.#others += 1;
  }

  admits(pair: AttemptPair): boolean {
    if (lengthOrder(pair) !== "longer") return true;
    this.#bound ??= this.#settle();
    const weight = weightOf(pair);
    if (weight !== this.#bound.margin) return weight > this.#bound.margin;
    this.#bound.atBound -= 1;
    return this.#bound.atBound >= 0;
  }

  /** The margin below which none stays, and how many stay that have exactly this margin. */
  #settle(): { readonly margin: number; atBound: number } {
    const sorted = Float64Array.from(this.#margins).sort();
    const share = this.#share;
    // The tolerance makes 0.6 of 10 six, not five: 4 · 0.6 / 0.4 is a bit below 6 in binary.
    const most = share >= 1 ? sorted.length : Math.floor((this.#others * share) / (1 - share) + 1e-9);
    const kept = Math.min(most, sorted.length);
    if (kept === 0) return { margin: Number.POSITIVE_INFINITY, atBound: 0 };
    const margin = sorted[sorted.length - kept] ?? 0;
    const wider = sorted.length - 1 - sorted.findLastIndex((each) => each <= margin);
    return { margin, atBound: kept - wider };
  }
}

function weightOf(pair: AttemptPair): number {
  return pair.source === "reward" ? marginOf(pair) : Number.MAX_VALUE;
}
