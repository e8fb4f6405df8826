import { chain, mix } from "./hash.ts";
import type { TrajectoryTrace } from "./trace.ts";

/**
 * The features of a trajectory: hashes of neighbouring units, each part ascending and without repeats. One that
 * occurs k times stands there as k features, so a loop of fifty is not taken for a loop of three.
 */
export interface Shingles {
  readonly actions: Uint32Array;
  readonly outputs: Uint32Array;
}

/** With fewer features than these, trajectories of different tasks are never taken for duplicates. */
export const SHORT = 16;

const ACTION_SIZES = [1, 2];
const OUTPUT_SIZES = [2];

/**
 * Each action and each pair of actions in a row; each pair of lines in a row. Boilerplate is left out before. What is
 * nothing but boilerplate keeps it, and so is like another such attempt at its task.
 */
export function shinglesOf(trace: TrajectoryTrace, isBoilerplate: (unit: number) => boolean): Shingles {
  const own = (units: Uint32Array): Uint32Array => units.filter((unit) => !isBoilerplate(unit));
  const [actions, outputs] = [own(trace.actions), own(trace.outputs)];
  const hasOwn = actions.length + outputs.length > 0;
  const acts = ngrams(hasOwn ? actions : trace.actions, ACTION_SIZES);
  const seen = ngrams(hasOwn ? outputs : trace.outputs, OUTPUT_SIZES);
  // "Done." answers many questions: what is short says too little to stand without its task.
  const salt = !hasOwn || acts.length + seen.length < SHORT ? trace.task : 0;
  return { actions: asBag(acts, salt), outputs: asBag(seen, mix(salt ^ 1)) };
}

/** Hashes of all runs of the given lengths; of a sequence that is shorter than a length, one of all of it. */
function ngrams(units: Uint32Array, sizes: readonly number[]): Uint32Array {
  if (units.length === 0) return units;
  const found: number[] = [];
  for (const wanted of sizes) {
    const size = Math.min(wanted, units.length);
    for (let at = 0; at + size <= units.length; at += 1) {
      let hash = size;
      for (let k = at; k < at + size; k += 1) hash = chain(hash, units[k] ?? 0);
      found.push(hash);
    }
  }
  return Uint32Array.from(found);
}

/** Sorts; the second of two equal ones becomes another number, the third yet another. */
function asBag(hashes: Uint32Array, salt: number): Uint32Array {
  const bag = salt === 0 ? hashes : hashes.map((hash) => chain(salt, hash));
  bag.sort();
  let repeats = 0;
  let runValue = -1;
  let runLength = 0;
  for (let at = 0; at < bag.length; at += 1) {
    const value = bag[at] ?? 0;
    runLength = value === runValue ? runLength + 1 : 0;
    runValue = value;
    if (runLength === 0) continue;
    bag[at] = chain(runLength, value);
    repeats += 1;
  }
  return repeats === 0 ? bag : distinct(bag.sort());
}

function distinct(sorted: Uint32Array): Uint32Array {
  return sorted.filter((value, at) => at === 0 || value !== sorted[at - 1]);
}
