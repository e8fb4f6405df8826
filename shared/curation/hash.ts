/**
 * The 32-bit hashes of curation. They are part of what a report says, so they stay as they are: FNV-1a over UTF-16
 * code units, and the finaliser of MurmurHash3 (`fmix32`), which is a permutation of all 32-bit numbers.
 */

/** Hash of a text, 0 to 2^32 - 1. */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
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
