import { mix } from "./hash.ts";
import type { Shingles } from "./shingles.ts";

export const PERMUTATIONS = 128;

/**
 * Permutation i of the 32-bit numbers: x·a + b (mod 2^32), a odd, then x ^ (x >>> 15) and a multiplication by an odd
 * number. a and b follow from i alone. Numbers are compared as signed ones, which is one more permutation.
 */
const MULTIPLIERS = Int32Array.from({ length: PERMUTATIONS }, (_, i) => mix(2 * i + 1) | 1);
const OFFSETS = Int32Array.from({ length: PERMUTATIONS }, (_, i) => mix(2 * i + 2));
const LAST = 0x2c1b3c6d;

/**
 * Writes the MinHash signature of a trajectory's features (all of them, of both kinds) into `to`, which has
 * `PERMUTATIONS` places. The share of places in which two signatures agree estimates the Jaccard similarity of the
 * features (Broder, "On the resemblance and containment of documents", 1997).
 */
export function minhash({ actions, outputs }: Shingles, to: Int32Array): void {
  for (let i = 0; i < PERMUTATIONS; i += 1) {
    const a = MULTIPLIERS[i] ?? 1;
    const b = OFFSETS[i] ?? 0;
    to[i] = least(outputs, { a, b, from: least(actions, { a, b, from: 0x7fffffff }) });
  }
}

function least(
  hashes: Uint32Array,
  { a, b, from }: { readonly a: number; readonly b: number; readonly from: number },
): number {
  let smallest = from;
  for (let k = 0; k < hashes.length; k += 1) {
    let hash = (Math.imul(hashes[k] ?? 0, a) + b) | 0;
    hash = Math.imul(hash ^ (hash >>> 15), LAST);
    if (hash < smallest) smallest = hash;
  }
  return smallest;
}
