import type { Shingles } from "./shingles.ts";

/** Similarity of two trajectories, 0 to 1. */
export interface Similarity {
  /** The smaller of the two; where neither has features of a kind, the other one alone. */
  readonly value: number;
  /** null: neither has any. */
  readonly actions: number | null;
  readonly outputs: number | null;
}

/**
 * How alike two trajectories are: both what they did and what they saw must be. Attempts at one task read the same
 * files, so outputs alone would make duplicates of two different solutions.
 */
export function similarity(a: Shingles, b: Shingles): Similarity {
  const actions = jaccard(a.actions, b.actions);
  const outputs = jaccard(a.outputs, b.outputs);
  return { value: Math.min(actions ?? outputs ?? 0, outputs ?? actions ?? 0), actions, outputs };
}

/** |A ∩ B| / |A ∪ B| of two ascending lists without repeats; null where both are empty. */
export function jaccard(a: Uint32Array, b: Uint32Array): number | null {
  if (a.length + b.length === 0) return null;
  let i = 0;
  let j = 0;
  let shared = 0;
  while (i < a.length && j < b.length) {
    const x = a[i] ?? 0;
    const y = b[j] ?? 0;
    if (x === y) shared += 1;
    if (x <= y) i += 1;
    if (y <= x) j += 1;
  }
  return shared / (a.length + b.length - shared);
}
