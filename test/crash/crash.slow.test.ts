import { expect, it } from "vitest";
import { crashRounds } from "./crash-rounds.ts";

/** Fifty rounds take minutes: the soak run does them, the slow run fewer. */
const ROUNDS = process.env["GYMLINE_SOAK"] === "1" ? 50 : 12;

it(`ends where an undisturbed run ends, though it is killed again and again (${ROUNDS} rounds)`, {
  timeout: 1_200_000,
}, async () => {
  const tally = await crashRounds({ seed: 20260115, rounds: ROUNDS });
  expect(tally.rounds).toBe(ROUNDS);
  // Else the kills missed what they were to hit.
  expect(tally.killed).toBeGreaterThanOrEqual(ROUNDS / 2);
  expect(tally.midway).toBeGreaterThan(0);
});
