import fc from "fast-check";
import type { Attempt } from "../../shared/preferences/attempt.ts";
import { type PairingOptions, pairingOptionsSchema } from "../../shared/preferences/options.ts";

export function makeAttempt(id: string, reward: number, more: Partial<Attempt> = {}): Attempt {
  return {
    id,
    contentId: null,
    reward,
    steps: 5,
    success: null,
    outcomeScore: null,
    scorer: "scorer",
    scale: "scorer",
    ...more,
  };
}

export function makeOptions(given: Readonly<Record<string, unknown>> = {}): PairingOptions {
  return pairingOptionsSchema.parse(given);
}

/** Attempts with many equal rewards, equal contents and unknown facts among them. */
export const attemptsArbitrary: fc.Arbitrary<readonly Attempt[]> = fc
  .array(
    fc.record({
      contentId: fc.constantFrom(null, null, "a", "b", "c"),
      reward: fc.oneof(fc.constantFrom(0, 0.25, 0.3, 0.35, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      steps: fc.option(fc.integer({ min: 0, max: 12 })),
      success: fc.constantFrom(true, false, null),
      outcomeScore: fc.constant(null),
      scale: fc.constantFrom("one", "one", "one", "two"),
    }),
    { maxLength: 14 },
  )
  .map((all) => all.map((each, index) => ({ ...each, id: `t${index}`, scorer: each.scale })));
