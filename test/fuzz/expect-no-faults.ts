import { expect } from "vitest";
import { fuzz, fuzzPlan } from "./fuzz.ts";

export const NAME =
  "damaged and hostile logs become valid documents or clear rejections, and secrets in them never come out";

/** Fuzzes with so many mutants and says which; a fault names its mutant, which the environment can choose again. */
export async function expectNoFaults(mutants: number): Promise<void> {
  const plan = fuzzPlan(mutants);
  process.stdout.write(`fuzz: GYMLINE_FUZZ_SEED=${plan.seed}, ${plan.count} mutants from ${plan.first}\n`);
  const { faults, ...totals } = await fuzz(plan);
  process.stdout.write(`fuzz: ${JSON.stringify(totals)}\n`);
  expect(faults).toEqual([]);
  expect(totals.mutants).toBe(plan.count);
  // Mutants that nothing comes out of would show nothing.
  expect(totals.trajectories).toBeGreaterThan(plan.count / 4);
  expect(totals.redactions).toBeGreaterThan(plan.count / 4);
}
