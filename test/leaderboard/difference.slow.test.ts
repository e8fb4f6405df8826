import { expect, it } from "vitest";
import { differenceOf } from "../../shared/leaderboard/difference.ts";
import { makeRuns } from "./factories.ts";

it.each(["paired", "unpaired"])(
  "%s, groups that do not differ are told apart about as often as the level allows",
  (kind) => {
    const rounds = 200;
    let found = 0;
    for (let round = 0; round < rounds; round += 1) {
      const a = makeRuns({ tasks: 10, seed: 2 * round, attempts: 2 });
      const b = makeRuns({
        tasks: 10,
        seed: 2 * round + 1,
        attempts: 2,
        prefix: kind === "paired" ? "task" : "other",
      });
      const difference = differenceOf(a, b, { seed: round, resamples: 100 });
      expect(difference?.kind).toBe(kind);
      if ((difference?.test.p ?? 1) <= 0.05) found += 1;
    }
    // 200 fair tests reject 10 times at 0.05; more than 20 has a chance below 0.002.
    expect(found).toBeLessThanOrEqual(20);
  },
);
