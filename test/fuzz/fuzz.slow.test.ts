import { expect, it } from "vitest";
import { fuzz, fuzzPlan } from "./fuzz.ts";

it("damaged and hostile logs become valid documents or clear rejections, and secrets in them never come out", async () => {
  const plan = fuzzPlan(3000);
  const report = await fuzz(plan);
  const { faults, ...totals } = report;
  process.stdout.write(`fuzz seed ${plan.seed}, from mutant ${plan.first}: ${JSON.stringify(totals)}\n`);
  expect(faults).toEqual([]);
  expect(report.mutants).toBe(plan.count);
});
