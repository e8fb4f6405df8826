import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentComparison } from "../../shared/contracts/evaluation.ts";
import type { EvaluationEpisode } from "../../shared/contracts/evaluation-episode.ts";
import { compareAgents } from "../../shared/evaluation/compare-agents.ts";
import { EvaluationError } from "../../shared/evaluation/evaluation-error.ts";
import { mcnemar } from "../../shared/statistics/mcnemar.ts";
import { pairedT } from "../../shared/statistics/paired-t.ts";
import { wilcoxonSignedRank } from "../../shared/statistics/wilcoxon.ts";
import { agent, attempts, episode } from "./factories.ts";

const RUNS = { numRuns: 40 };
const FAST = { resamples: 100 } as const;

/** Episodes of one agent over the same tasks and attempts as any other of this generator with the same shape. */
const outcomes = (tasks: number, tries: number) =>
  fc.array(
    fc.record({
      success: fc.boolean(),
      return: fc.integer({ min: -20, max: 20 }).map((each) => each / 4),
      steps: fc.integer({ min: 0, max: 9 }),
      cost_usd: fc.integer({ min: 0, max: 50 }).map((each) => each / 100),
      seconds: fc.integer({ min: 0, max: 90 }).map((each) => each / 10),
      violations: fc.integer({ min: 0, max: 3 }),
      failed: fc.integer({ min: 0, max: 9 }).map((each) => each === 0),
    }),
    { minLength: tasks * tries, maxLength: tasks * tries },
  );

type Outcomes = ReturnType<typeof outcomes> extends fc.Arbitrary<infer Value> ? Value : never;

function episodesOf(values: Outcomes, tries: number): readonly EvaluationEpisode[] {
  return values.map(({ failed, ...rest }, index) =>
    episode({
      ...rest,
      task: `t${Math.floor(index / tries)}`,
      attempt: index % tries,
      seed: index,
      status: failed ? "failed" : "done",
    }),
  );
}

const shape = fc.record({ tasks: fc.integer({ min: 1, max: 12 }), tries: fc.integer({ min: 1, max: 3 }) });
const two = shape.chain(({ tasks, tries }) =>
  fc
    .tuple(outcomes(tasks, tries), outcomes(tasks, tries))
    .map(([a, b]) => [episodesOf(a, tries), episodesOf(b, tries)] as const),
);

function compared(a: readonly EvaluationEpisode[], b: readonly EvaluationEpisode[]) {
  try {
    return compareAgents([agent("a", a), agent("b", b)], FAST).comparisons;
  } catch (error) {
    if (error instanceof EvaluationError) return [];
    throw error;
  }
}

const closeTo = (value: number) => expect.closeTo(value, 9);
const of = (all: readonly AgentComparison[], metric: string) => all.find((each) => each.metric === metric);

describe("comparing agents", () => {
  it("gives the same with the opposite sign when the agents are swapped", () => {
    fc.assert(
      fc.property(two, ([a, b]) => {
        const [forth, back] = [compared(a, b), compared(b, a)];
        expect(back).toHaveLength(forth.length);
        for (const one of forth) {
          const other = of(back, one.metric);
          expect(other?.difference.value).toBeCloseTo(-(one.difference.value ?? 0), 12);
          expect(other?.test.p ?? -1).toBeCloseTo(one.test.p ?? -1, 12);
          expect([other?.won, other?.lost, other?.tied]).toEqual([one.lost, one.won, one.tied]);
          expect(other?.significant).toBe(one.significant);
          const better = { a: "b", b: "a" }[String(one.better)] ?? null;
          expect(other?.better).toBe(better);
          const [mine, theirs] = [one.difference, other?.difference];
          if (mine.value === null || theirs === undefined || theirs.value === null) continue;
          const ends = ({ low, high }: typeof mine.interval) =>
            low === null ? [Number.NaN, Number.NaN] : [low, high];
          const [[low = 0, high = 0], [under = 0, over = 0]] = [ends(mine.interval), ends(theirs.interval)];
          expect(Number.isNaN(low)).toBe(Number.isNaN(under));
          if (!Number.isNaN(low)) expect([-over, -under]).toEqual([closeTo(low), closeTo(high)]);
        }
      }),
      RUNS,
    );
  });

  it("never finds an agent significantly different from itself, by any test", () => {
    fc.assert(
      fc.property(two, fc.constantFrom("sign_flip", "paired_t", "wilcoxon"), ([a], test) => {
        if (a.every(({ status }) => status === "failed")) return;
        const twin = [agent("a", a), agent("b", a)];
        const { comparisons } = compareAgents(twin, { ...FAST, test, correction: "none" });
        for (const { significant, better, difference, won, lost } of comparisons) {
          expect([significant, better, difference.value, won, lost]).toEqual([false, null, 0, 0, 0]);
        }
      }),
      RUNS,
    );
  });

  it("takes pairs of the same task and attempt alone, in whatever order episodes come", () => {
    fc.assert(
      fc.property(two, fc.infiniteStream(fc.nat()), ([a, b], keys) => {
        const shuffled = b
          .map((each) => ({ each, key: keys.next().value }))
          .sort((x, y) => x.key - y.key)
          .map(({ each }) => each);
        expect(compared(a, shuffled)).toEqual(compared(a, b));
        const alone = episode({ task: "only-a", seed: 7, success: true, return: 1000 });
        const success = (all: readonly AgentComparison[]) => of(all, "success");
        expect(success(compared([...a, alone], b))).toEqual(success(compared(a, b)));
      }),
      RUNS,
    );
  });

  it("tests verdicts with one attempt a task by McNemar's exact test, with Newcombe's interval", () => {
    const a = attempts([...Array(12)].map((_, task) => [task !== 3]));
    const b = attempts([...Array(12)].map((_, task) => [task < 4]));
    const found = of(compared(a, b), "success");
    const outcomesOf = { both: 3, onlyA: 8, onlyB: 1, neither: 0 };
    const expected = mcnemar(outcomesOf);
    expect(found).toMatchObject({
      ...{ pairs: 12, tasks: 12, won: 8, lost: 1, tied: 3 },
      test: { name: "mcnemar", method: "exact", statistic: 1 },
      effect: { kind: "risk_difference" },
    });
    expect(found?.test.p).toBe(expected.value === null ? null : expected.test.p);
    expect(found?.difference).toMatchObject({ value: 7 / 12, interval: { method: "newcombe_paired" } });
  });

  it("counts several attempts at a task as one task, not as so many observations", () => {
    const differing = [true, true, true, true, true, false];
    const once = (success: boolean) => differing.map((each) => [each ? success : true]);
    const often = (success: boolean) => once(success).map(([each = false]) => Array<boolean>(10).fill(each));
    const few = of(compared(attempts(once(true)), attempts(once(false))), "success");
    const many = of(compared(attempts(often(true)), attempts(often(false))), "success");
    expect([few?.pairs, many?.pairs, many?.tasks]).toEqual([6, 60, 6]);
    expect(many?.test).toMatchObject({ name: "sign_flip", method: "exact" });
    expect(many?.test.p).toBeCloseTo(few?.test.p ?? 0, 12);
  });

  it("uses the paired test that is asked for, on the tasks' means", () => {
    const returns = [
      [1, 0.2],
      [2, 1.1],
      [0.5, 0.7],
      [3, 0.4],
      [1.5, 0.9],
      [2.2, 2],
    ] as const;
    const [a, b] = [0, 1].map((side) =>
      returns.map((pair, task) => episode({ task: `t${task}`, return: pair[side as 0 | 1] })),
    );
    const agents = [agent("a", a ?? []), agent("b", b ?? [])];
    const [first, second] = [returns.map(([x]) => x), returns.map(([, y]) => y)];
    const byT = of(compareAgents(agents, { ...FAST, test: "paired_t" }).comparisons, "return");
    const byRank = of(compareAgents(agents, { ...FAST, test: "wilcoxon" }).comparisons, "return");
    const [t, rank] = [pairedT(first, second), wilcoxonSignedRank(first, second)];
    expect(byT?.test).toMatchObject({ name: "paired_t", df: 5, p: t.value === null ? null : t.test.p });
    expect(byRank?.test.p).toBe(rank.value === null ? null : rank.test.p);
    expect(byRank?.effect).toMatchObject({ kind: "rank_biserial", estimate: { value: rank.value } });
  });

  it("corrects over all pairs of agents, more strictly by Bonferroni than by Holm than not at all", () => {
    const share = (from: number) => attempts([...Array(14)].map((_, task) => [task >= from]));
    const agents = [agent("x", share(0)), agent("y", share(6)), agent("z", share(13))];
    const by = (correction: "none" | "holm" | "bonferroni" | "benjamini_hochberg") =>
      compareAgents(agents, { ...FAST, correction })
        .comparisons.filter(({ metric }) => metric === "success")
        .map(({ adjusted }) => adjusted ?? Number.NaN);
    const [none, fdr, holm, bonferroni] = (["none", "benjamini_hochberg", "holm", "bonferroni"] as const).map(
      by,
    );
    expect(none).toHaveLength(3);
    for (const [index, p] of (none ?? []).entries()) {
      expect(bonferroni?.[index]).toBeCloseTo(Math.min(1, 3 * p), 12);
      expect(holm?.[index]).toBeLessThanOrEqual((bonferroni?.[index] ?? 0) + 1e-15);
      expect(fdr?.[index]).toBeLessThanOrEqual((holm?.[index] ?? 0) + 1e-15);
    }
  });

  it("says that the greater return is of the longer episodes where the return per turn goes the other way", () => {
    const short = [...Array(12)].map((_, task) => episode({ task: `t${task}`, return: 1, steps: 2 }));
    const long = short.map((each) => ({ ...each, return: 2, steps: 10 }));
    const { comparisons, problems } = compareAgents([agent("short", short), agent("long", long)], FAST);
    expect(of(comparisons, "return")).toMatchObject({ better: "long", significant: true });
    expect(of(comparisons, "return_per_step")).toMatchObject({ better: "short", significant: true });
    expect(problems).toMatchObject([{ code: "return_follows_length", severity: "note" }]);
  });

  it("takes fewer turns, dollars, seconds and violations for better", () => {
    const thrifty = [...Array(12)].map((_, task) => episode({ task: `t${task}` }));
    const lavish = thrifty.map((each) => ({ ...each, steps: 9, cost_usd: 1, seconds: 9, violations: 2 }));
    const { comparisons } = compareAgents([agent("thrifty", thrifty), agent("lavish", lavish)], FAST);
    for (const metric of ["steps", "cost_usd", "seconds", "violations"]) {
      expect(of(comparisons, metric)).toMatchObject({ better: "thrifty", won: 12 });
    }
  });

  it("tells of unequal seeds and missing tasks, and pairs neither", () => {
    const a = attempts([[true], [true], [true]]);
    const b = [...a.slice(0, 2).map((each, index) => (index === 0 ? { ...each, seed: 999 } : each))];
    const { comparisons, problems } = compareAgents([agent("a", a), agent("b", b)], FAST);
    expect(of(comparisons, "success")?.pairs).toBe(1);
    expect(problems).toMatchObject([
      { code: "unequal_seeds", severity: "invalid", examples: ["t0#0"], count: 1 },
      { code: "missing_tasks", severity: "invalid", examples: ["t2"], count: 1 },
      { code: "few_tasks", severity: "note" },
    ]);
  });

  it.each([
    ["one agent alone", [agent("a", [episode()])], /give two agents/],
    ["two of one name", [agent("a", [episode()]), agent("a", [episode()])], /two agents "a"/],
    [
      "one attempt twice",
      [agent("a", [episode(), episode()]), agent("b", [episode()])],
      /"a" has two episodes of attempt 0 at the task "t0"/,
    ],
    [
      "other tasks for each",
      [agent("a", [episode()]), agent("b", [episode({ task: "u" })])],
      /"a" and "b" cannot be compared.*same tasks/,
    ],
    [
      "other seeds for each",
      [agent("a", [episode()]), agent("b", [episode({ seed: 2 })])],
      /cannot be compared.*same seed/,
    ],
    [
      "failed episodes alone",
      [agent("a", [episode()]), agent("b", [episode({ status: "failed" })])],
      /cannot be compared/,
    ],
  ])("cannot compare %s", (_, agents, message) => {
    expect(() => compareAgents(agents, FAST)).toThrow(EvaluationError);
    expect(() => compareAgents(agents, FAST)).toThrow(message);
  });
});
