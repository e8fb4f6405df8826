/**
 * The 32-bit hashes of curation. They are part of what a report says, so they stay as they are: FNV-1a over UTF-16
 * code units, and the finaliser of MurmurHash3 (`fmix32`), which is a permutation of all 32-bit numbers.
 */

/** Hash of a text, 0 to 2^32 - 1. */
export function hashText(text: string, seed = 0): number {
  let hash = startHash(seed);
  for (let at = 0; at < text.length; at += 1) hash = addCode(hash, text.charCodeAt(at));
  return mix(hash);
}

/** The hash of a text unit by unit: `mix` over `addCode` of each of them is what `hashText` gives. */
export function startHash(seed: number): number {
  return 0x811c9dc5 ^ seed;
}

export function addCode(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

/** `fmix32`: every bit of the number bears on every bit of the result. */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Hash of a sequence: `chain(chain(seed, a), b)` tells ab from ba. */
export function chain(hash: number, next: number): number {
  return mix(Math.imul(hash, 0x9e3779b1) ^ next);
}
