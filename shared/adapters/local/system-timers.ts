import type { Timers } from "../../ports/timers.ts";

/** `setTimeout` takes no more, and would ring at once. */
const LONGEST = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after: (milliseconds, ring) => {
    const timer = setTimeout(ring, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
};
