import { setTimeout as delay } from "node:timers/promises";

/** Looks within one silence, so that a program that was held up itself does not take its own pause for one. */
const LOOKS = 5;

/** Notes when data come, to tell when no more are on their way. */
export class Quiet {
  #pieces = 0;

  heard(): void {
    this.#pieces += 1;
  }

  /** Resolves after so long without data; never once the signal is aborted. */
  async for(silenceMs: number, signal: AbortSignal): Promise<"quiet"> {
    let seen = this.#pieces;
    for (let silent = 0; silent < LOOKS; ) {
      // Left waiting when nobody looks at it any more.
      await delay(silenceMs / LOOKS, undefined, { signal }).catch(() => new Promise<never>(() => undefined));
      silent = this.#pieces === seen ? silent + 1 : 0;
      seen = this.#pieces;
    }
    return "quiet";
  }
}
