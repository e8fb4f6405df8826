import type { AgentComparison, Evaluation } from "../contracts/evaluation.ts";
import type { Comparison } from "../statistics/comparison.ts";
import { mcnemar } from "../statistics/mcnemar.ts";
import { pairedOutcomes } from "../statistics/paired-outcomes.ts";
import { pairedT } from "../statistics/paired-t.ts";
import type { Estimate } from "../statistics/result.ts";
import { signFlips } from "../statistics/sign-flip.ts";
import { wilcoxonSignedRank } from "../statistics/wilcoxon.ts";

type Test = AgentComparison["test"];

/** The test of the tasks' differences being zero; `effect` where the test has one of its own. */
export interface TestedPairs {
  readonly test: Test;
  readonly effect: Estimate | null;
}

/** McNemar's exact test of verdicts, one pair a task; its effect is the risk difference with Newcombe's interval. */
export function verdictTest(
  pairs: readonly (readonly [number, number])[],
  { level }: Pick<Evaluation["settings"], "level">,
): TestedPairs {
  const outcomes = pairedOutcomes(
    pairs.map(([a]) => a === 1),
    pairs.map(([, b]) => b === 1),
  );
  const found = mcnemar(outcomes, { level });
  const test = testOf(found, "mcnemar");
  return { test, effect: estimateOf(found) };
}

/** The test of the settings on the tasks' means. Sign flips assume nothing of how differences are distributed. */
export function meansTest(
  of: { readonly a: readonly number[]; readonly b: readonly number[] },
  { test, level, seed }: Pick<Evaluation["settings"], "test" | "level" | "seed">,
): TestedPairs {
  if (test === "paired_t") return { test: testOf(pairedT(of.a, of.b, { level }), "paired_t"), effect: null };
  if (test === "wilcoxon") {
    const found = wilcoxonSignedRank(of.a, of.b, { level });
    return { test: testOf(found, "wilcoxon_signed_rank"), effect: estimateOf(found) };
  }
  const bare = { name: "sign_flip", statistic: null, df: null } as const;
  if (of.a.length < 2) {
    return { test: { ...bare, method: "exact", p: null, why: "too_few" }, effect: null };
  }
  const differences = of.a.map((value, index) => value - (of.b[index] ?? 0));
  return { test: { ...bare, ...signFlips(differences, seed), why: null }, effect: null };
}

function testOf(found: Comparison, name: Test["name"]): Test {
  if (found.value === null) {
    return { name, method: "exact", statistic: null, df: null, p: null, why: found.why };
  }
  const { method, statistic, df, p } = found.test;
  return { name, method, statistic, df, p, why: found.test.p === null ? found.test.why : null };
}

function estimateOf(found: Comparison): Estimate {
  if (found.value === null) return found;
  const { value, n, interval } = found;
  return { value, n, interval };
}
