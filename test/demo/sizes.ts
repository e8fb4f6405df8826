import type { LoopSize } from "./loop.ts";

/** Within 15 minutes on two cores. */
export const FULL: LoopSize = {
  explored: { tasks: 600, attempts: 12 },
  heldOut: 200,
  epochs: 20,
  practice: { rounds: 1, tasks: 100, attempts: 8, epochs: 3 },
};

/** Within 3 minutes, on two cores with other work beside it: enough to be shown better than nothing, and no more. */
export const SMALL: LoopSize = {
  explored: { tasks: 250, attempts: 12 },
  heldOut: 50,
  epochs: 22,
  practice: { rounds: 0, tasks: 0, attempts: 0, epochs: 1 },
};
