import { chain } from "./hash.ts";
import { PERMUTATIONS } from "./minhash.ts";

/** Signatures are cut into bands; two that agree in all rows of a band share a bucket. */
export interface LshPlan {
  readonly bands: number;
  readonly rows: number;
  /** Chance that two trajectories exactly as alike as the threshold share a bucket: 1 − (1 − s^rows)^bands. */
  readonly detection: number;
}

const LEAST_DETECTION = 0.99;

/**
 * The most rows to a band (hence the fewest candidates) with which a pair at the threshold is found at least 99 times
 * in 100 (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4). Pairs above it are found more often.
 */
export function lshPlan(threshold: number): LshPlan {
  let best: LshPlan = planOf(1, threshold);
  for (let rows = 2; rows <= PERMUTATIONS; rows += 1) {
    const plan = planOf(rows, threshold);
    if (plan.detection >= LEAST_DETECTION) best = plan;
  }
  return best;
}

function planOf(rows: number, threshold: number): LshPlan {
  const bands = Math.floor(PERMUTATIONS / rows);
  return { bands, rows, detection: 1 - (1 - threshold ** rows) ** bands };
}

/**
 * The buckets of one band that hold several of the signatures, each as ascending indices. Sorts instead of filling a
 * map: 8 bytes a signature, for one band at a time.
 * @param signatures one after another, `PERMUTATIONS` numbers each
 */
export function* bucketsOf(
  signatures: Int32Array,
  { band, rows }: { readonly band: number; readonly rows: number },
): Generator<readonly number[]> {
  const count = signatures.length / PERMUTATIONS;
  const stride = 2 ** Math.ceil(Math.log2(Math.max(2, count)));
  // Key and index share the 53 bits of a whole number; two keys that fall together only make more candidates.
  const keys = Math.min(2 ** 32, 2 ** 53 / stride);
  const sorted = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    let hash = band;
    const from = index * PERMUTATIONS + band * rows;
    for (let row = 0; row < rows; row += 1) hash = chain(hash, signatures[from + row] ?? 0);
    sorted[index] = (hash % keys) * stride + index;
  }
  sorted.sort();
  let bucket: number[] = [];
  let last = -1;
  for (const value of sorted) {
    const key = Math.floor(value / stride);
    if (key !== last && bucket.length > 1) yield bucket;
    if (key !== last) bucket = [];
    last = key;
    bucket.push(value % stride);
  }
  if (bucket.length > 1) yield bucket;
}
