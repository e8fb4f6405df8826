import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Attempt, marginOf } from "../../shared/preferences/attempt.ts";
import { pairTask, type TaskPairs } from "../../shared/preferences/pair-task.ts";
import { countPairs, countTies, widestPairs } from "../../shared/preferences/widest-pairs.ts";
import { attemptsArbitrary, makeAttempt, makeOptions } from "./factories.ts";

const optionsArbitrary = fc.record(
  {
    strategy: fc.constantFrom("outside-in", "all-pairs"),
    margin: fc.constantFrom(0, 0.05, 0.3),
    ties: fc.constantFrom("never", "first-wins"),
    perTask: fc.integer({ min: 1, max: 4 }),
    verified: fc.boolean(),
    maxLengthRatio: fc.constantFrom(1, 1.5, 3),
  },
  { requiredKeys: [] },
);

function pair(attempts: readonly Attempt[], options: Readonly<Record<string, unknown>> = {}): TaskPairs {
  return pairTask({ task: "task", attempts }, makeOptions(options));
}

function idsOf({ pairs }: TaskPairs): readonly string[] {
  return pairs.map(({ chosen, rejected }) => `${chosen.id}>${rejected.id}`);
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

describe("pairs of one task", () => {
  const four = [makeAttempt("a", 0.1), makeAttempt("b", 0.4), makeAttempt("c", 0.6), makeAttempt("d", 0.9)];

  it("outside-in pairs the best with the worst, and nobody twice", () => {
    expect(idsOf(pair(four))).toEqual(["d>a", "c>b"]);
    expect(idsOf(pair([...four, makeAttempt("e", 0.5)]))).toEqual(["d>a", "c>b"]);
  });

  it("all-pairs gives every pair that is wide enough, the widest first, and counts the others", () => {
    const made = pair(four, { strategy: "all-pairs", margin: 0.3 });
    expect(idsOf(made)).toEqual(["d>a", "d>b", "c>a", "d>c", "b>a"].slice(0, made.pairs.length));
    expect(made.pairs.length + sumOf(made.leftOut)).toBe(6);
    expect(made.leftOut["margin below the minimum"]).toBeGreaterThan(0);
  });

  it("never pairs equal rewards, and says so", () => {
    const equal = [makeAttempt("a", 0.5), makeAttempt("b", 0.5), makeAttempt("c", 0.5)];
    for (const strategy of ["outside-in", "all-pairs"]) {
      const made = pair(equal, { strategy, margin: 0 });
      expect(made.pairs).toEqual([]);
      expect(made.leftOut).toEqual({ "equal rewards": strategy === "outside-in" ? 1 : 3 });
    }
  });

  it("never pairs attempts that did and saw the same", () => {
    const made = pair([makeAttempt("a", 0.9, { contentId: "x" }), makeAttempt("b", 0.1, { contentId: "x" })]);
    expect(made.leftOut).toEqual({ "same actions and observations": 1 });
  });

  it("takes two contents once, by their widest margin, so that no pair says the opposite of another", () => {
    const attempts = [
      makeAttempt("a", 0.9, { contentId: "x" }),
      makeAttempt("b", 0.5, { contentId: "y" }),
      makeAttempt("c", 0.2, { contentId: "x" }),
    ];
    const made = pair(attempts, { strategy: "all-pairs" });
    expect(idsOf(made)).toEqual(["a>b"]);
    expect(made.leftOut["same actions and observations as another pair"]).toBe(1);
  });

  it("compares rewards of one scale only, each scale with a ranking of its own", () => {
    const attempts = [
      makeAttempt("a", 0.9),
      makeAttempt("b", 0.8, { scale: "other" }),
      makeAttempt("c", 0.2, { scale: "other" }),
      makeAttempt("d", 0.1),
    ];
    expect(idsOf(pair(attempts))).toEqual(["a>d", "b>c"]);
    expect(pair(attempts, { strategy: "all-pairs" }).leftOut).toEqual({
      "rewards of different scorers or layers": 4,
    });
  });

  it("with verified asks for a success and a failure", () => {
    const attempts = [
      makeAttempt("a", 0.9, { success: true }),
      makeAttempt("b", 0.5),
      makeAttempt("c", 0.1, { success: false }),
    ];
    expect(idsOf(pair(attempts, { strategy: "all-pairs", verified: true }))).toEqual(["a>c"]);
  });

  it("bounds the ratio of lengths and keeps count of the lengths without the bound", () => {
    const attempts = [
      makeAttempt("a", 0.9, { steps: 30 }),
      makeAttempt("b", 0.8, { steps: 6 }),
      makeAttempt("c", 0.2, { steps: 5 }),
      makeAttempt("d", 0.1, { steps: 9 }),
    ];
    const made = pair(attempts, { maxLengthRatio: 2 });
    expect(idsOf(made)).toEqual(["b>c"]);
    expect(made.leftOut).toEqual({ "lengths too different": 1 });
    expect(made.unboundedLengths.counts).toMatchObject({ longer: 2, shorter: 0 });
  });

  it("capped, is the start of what it would be without the cap", () => {
    fc.assert(
      fc.property(
        attemptsArbitrary,
        optionsArbitrary,
        fc.integer({ min: 1, max: 5 }),
        (attempts, options, cap) => {
          const { perTask: _, ...rest } = options;
          expect(idsOf(pair(attempts, { ...rest, perTask: cap }))).toEqual(
            idsOf(pair(attempts, rest)).slice(0, cap),
          );
        },
      ),
    );
  });

  it("holds to every option, makes no pair twice, and accounts for each pair that could be", () => {
    fc.assert(
      fc.property(attemptsArbitrary, optionsArbitrary, (attempts, options) => {
        const made = pair(attempts, options);
        expect(new Set(idsOf(made)).size).toBe(made.pairs.length);
        for (const [index, each] of made.pairs.entries()) {
          const { chosen, rejected } = each;
          expect(marginOf(each)).toBeGreaterThanOrEqual(options.margin ?? 0.05);
          if (options.ties !== "first-wins") expect(chosen.reward).not.toBe(rejected.reward);
          if (chosen.contentId !== null) expect(chosen.contentId).not.toBe(rejected.contentId);
          if (options.verified === true) expect([chosen.success, rejected.success]).toEqual([true, false]);
          expect(chosen.scale).toBe(rejected.scale);
          const before = made.pairs[index - 1];
          if (before !== undefined) expect(marginOf(before)).toBeGreaterThanOrEqual(marginOf(each));
        }
        const n = attempts.length;
        if (options.strategy === "all-pairs") {
          expect(made.pairs.length + sumOf(made.leftOut)).toBe(n < 2 ? 0 : (n * (n - 1)) / 2);
        } else {
          const used = made.pairs.flatMap(({ chosen, rejected }) => [chosen.id, rejected.id]);
          expect(new Set(used).size).toBe(used.length);
        }
      }),
    );
  });
});

describe("widest pairs", () => {
  const rankings = fc
    .array(fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: -2, max: 2, noNaN: true })), {
      maxLength: 20,
    })
    .map((rewards) => rewards.toSorted((a, b) => b - a));

  it("are all pairs that reach the margin, once each, the widest first, as many as are counted", () => {
    fc.assert(
      fc.property(rankings, fc.double({ min: 0, max: 1, noNaN: true }), (rewards, floor) => {
        const isWide = (margin: number): boolean => margin >= floor;
        const pairs = [...widestPairs(rewards, isWide)];
        const margins = pairs.map(([better, worse]) => (rewards[better] ?? 0) - (rewards[worse] ?? 0));
        expect(margins).toEqual(margins.toSorted((a, b) => b - a));
        const expected = rewards.flatMap((better, i) =>
          rewards.flatMap((worse, j) => (j > i && isWide(better - worse) ? [`${i} ${j}`] : [])),
        );
        expect(pairs.map((each) => each.join(" ")).toSorted()).toEqual(expected.toSorted());
        expect(countPairs(rewards, isWide)).toBe(pairs.length);
        expect(countTies(rewards)).toBe(
          rewards.flatMap((a, i) => rewards.filter((b, j) => j > i && a === b)).length,
        );
      }),
    );
  });

  it("of a large group come without making all of them", () => {
    const rewards = Array.from({ length: 65_536 }, (_, index) => 1 - index / 65_536);
    const first = widestPairs(rewards, () => true)
      .take(3)
      .toArray();
    expect(first).toEqual([
      [0, 65_535],
      [0, 65_534],
      [1, 65_535],
    ]);
  });
});
