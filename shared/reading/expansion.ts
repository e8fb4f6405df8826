import type { ReadingLimits } from "./limits.ts";
import { RATIO_FLOOR_BYTES } from "./limits.ts";
import type { Fault } from "./rejection.ts";
import { StreamFailure } from "./stream-failure.ts";

/**
 * Counts what comes out of one dropped object over all its layers and entries, and stops it when that is out of
 * proportion. One stream that expands too much fails alone; its output then leaves the proportion, not the total.
 */
export class Expansion {
  readonly #limits: ReadingLimits;
  readonly #objectBytes: number;
  #total = 0;
  #counted = 0;

  constructor(limits: ReadingLimits, objectBytes: number) {
    this.#limits = limits;
    this.#objectBytes = objectBytes;
  }

  /** @throws {StreamFailure} when a bound is passed. `stream` is counted by the caller; both in bytes. */
  add(bytes: number, stream: { readonly read: number; readonly expanded: number }): void {
    this.#total += bytes;
    this.#counted += bytes;
    const { maxExpandedBytes, maxExpansionRatio } = this.#limits;
    if (this.#total > maxExpandedBytes) {
      throw new StreamFailure({ scope: "object", fault: tooMuch(maxExpandedBytes) });
    }
    if (this.#outOfProportion(stream.expanded, stream.read)) {
      this.#counted -= stream.expanded;
      throw new StreamFailure({ fault: bomb(maxExpansionRatio) });
    }
    if (this.#outOfProportion(this.#counted, this.#objectBytes)) {
      throw new StreamFailure({ scope: "object", fault: bomb(maxExpansionRatio) });
    }
  }

  #outOfProportion(expanded: number, read: number): boolean {
    return expanded > RATIO_FLOOR_BYTES && expanded > read * this.#limits.maxExpansionRatio;
  }
}

function tooMuch(bound: number): Fault {
  return {
    code: "expands-too-far",
    reason: `The object expands to more than ${bound} bytes.`,
    remedy: "Drop it in smaller parts or raise the limit maxExpandedBytes.",
  };
}

function bomb(ratio: number): Fault {
  return {
    code: "expansion-ratio",
    reason: `The compressed data expands more than ${ratio} times, as decompression bombs do.`,
    remedy: "Drop the file uncompressed, or raise the limit maxExpansionRatio if its origin is trusted.",
  };
}
