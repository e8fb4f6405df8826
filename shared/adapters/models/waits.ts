import { setTimeout as sleep } from "node:timers/promises";

/** Time and chance, so that tests can give their own. */
export interface Waits {
  /** Milliseconds since the epoch. */
  now(): number;
  /** @throws when the signal aborts */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
}

export const systemWaits: Waits = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
  random: Math.random,
};
