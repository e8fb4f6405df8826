import { setTimeout as sleep } from "node:timers/promises";
import { backOffMs } from "../http/back-off.ts";

/** How often something is tried in all, and how long it waits at most before the second try. */
export interface Tries {
  readonly tries: number;
  /** Doubles with each further try, up to 20 seconds. */
  readonly delayMs: number;
}

/** About 6 seconds in the mean, over which a throttled service recovers. */
export const DEFAULT_TRIES: Tries = { tries: 6, delayMs: 400 };

const LONGEST_MS = 20_000;

/** Waits before another try after `failures` of them: callers that failed together do not come back together. */
export async function backOff(failures: number, { delayMs }: Tries): Promise<void> {
  const limits = { baseDelayMs: delayMs, longestDelayMs: LONGEST_MS };
  await sleep(backOffMs(limits, { failures, retryAfterMs: null, random: Math.random() }));
}

/** Does it again while it fails for a reason that may pass. @throws what it failed with at last */
export async function tried<T>(
  work: () => Promise<T>,
  options: { readonly tries: Tries; readonly passes: (error: unknown) => boolean },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (failures >= options.tries.tries || !options.passes(error)) throw error;
      await backOff(failures, options.tries);
    }
  }
}
