import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StatisticsInputError } from "../../shared/statistics/inputs.ts";
import { meanOf } from "../../shared/statistics/mean.ts";
import { createRandom, type Random } from "../../shared/statistics/random.ts";
import { createSequentialTest, sequentialTest } from "../../shared/statistics/sequential-test.ts";

/** How paired differences of mean 0 may come about. `before` are those drawn so far. */
const fair: Readonly<Record<string, (random: Random, before: readonly number[]) => number>> = {
  "successes that differ as often either way": (random) => random.int(2) * 2 - 1,
  "mostly ties": (random) => [0, 0, 0, 0, 0, 0, 0, 0, 1, -1][random.int(10)] ?? 0,
  "any value alike": (random) => 2 * random.float() - 1,
  "rare large gains against many small losses": (random) => (random.int(11) === 0 ? 1 : -0.1),
  "a spread that follows the sum so far": (random, before) => {
    const size = before.reduce((sum, one) => sum + one, 0) > 0 ? 0.2 : 1;
    return size * (random.int(2) * 2 - 1);
  },
};

function stream(of: {
  readonly next: (random: Random, before: readonly number[]) => number;
  readonly length: number;
  readonly seed: number;
}): readonly number[] {
  const random = createRandom(of.seed);
  const drawn: number[] = [];
  while (drawn.length < of.length) drawn.push(of.next(random, drawn));
  return drawn;
}

describe("the sequential test", () => {
  it.each(Object.entries(fair))(
    "ever rejects at most α of 2,000 fair streams: %s",
    (_, next) => {
      const streams = 2000;
      const rejected = { "0.05": 0, "0.01": 0, greater: 0 };
      for (let seed = 0; seed < streams; seed += 1) {
        const test = createSequentialTest({ level: 0.95 });
        const sided = createSequentialTest({ level: 0.95, alternative: "greater" });
        let [p, decided] = [1, false];
        for (const difference of stream({ next, length: 150, seed })) {
          p = test.observe(difference).p;
          decided = sided.observe(difference).decidedAt !== null;
        }
        rejected["0.05"] += p <= 0.05 ? 1 : 0;
        rejected["0.01"] += p <= 0.01 ? 1 : 0;
        rejected.greater += decided ? 1 : 0;
      }
      expect(rejected["0.05"]).toBeLessThanOrEqual(0.05 * streams);
      expect(rejected["0.01"]).toBeLessThanOrEqual(0.01 * streams);
      expect(rejected.greater).toBeLessThanOrEqual(0.05 * streams);
    },
    60_000,
  );

  it("has an interval that holds the mean at every n in at least 95 % of streams", () => {
    let missed = 0;
    const streams = 200;
    for (let seed = 0; seed < streams; seed += 1) {
      const next = (random: Random): number => (random.float() < 0.65 ? 1 : -1);
      const differences = stream({ next, length: 60, seed });
      const everyFifth = Array.from({ length: 12 }, (_, at) => 5 * (at + 1));
      const outside = everyFifth.some((n) => {
        const one = sequentialTest(differences.slice(0, n));
        if (one.value === null || one.interval.low === null) throw new Error("no interval");
        return 0.3 < one.interval.low || 0.3 > one.interval.high;
      });
      missed += outside ? 1 : 0;
    }
    expect(missed).toBeLessThanOrEqual(0.05 * streams);
  }, 60_000);

  it("stops early where one side is better, the earlier the better it is", () => {
    const stopped = [0.2, 0.5, 0.9].map((mean) => {
      const at = Array.from({ length: 100 }, (_, seed) => {
        const next = (random: Random): number => (random.float() < (1 + mean) / 2 ? 1 : -1);
        const test = createSequentialTest();
        const verdicts = stream({ next, length: 600, seed }).map((one) => test.observe(one));
        return verdicts.at(-1)?.decidedAt ?? 600;
      });
      return meanOf(at);
    });
    const [small = 0, middle = 0, large = 0] = stopped;
    expect(small).toBeLessThan(400);
    expect(middle).toBeLessThan(60);
    expect(large).toBeLessThan(15);
  });

  const differences = fc.array(
    fc.oneof(fc.constantFrom(-1, 0, 1), fc.double({ min: -1, max: 1, noNaN: true })),
    {
      minLength: 1,
      maxLength: 40,
    },
  );

  it("leaves 0 out of the interval exactly where the wealth suffices now, and never takes a verdict back", () => {
    fc.assert(
      fc.property(differences, (values) => {
        const test = createSequentialTest();
        let [last, decidedAt]: [number, number | null] = [1, null];
        for (const [index, value] of values.entries()) {
          const verdict = test.observe(value);
          expect(verdict.n).toBe(index + 1);
          expect(verdict.p).toBeLessThanOrEqual(last);
          if (decidedAt !== null) expect(verdict.decidedAt).toBe(decidedAt);
          expect(verdict.decidedAt === null).toBe(verdict.p > 0.05);
          ({ p: last, decidedAt } = verdict);
        }
        const whole = sequentialTest(values);
        if (whole.value === null || whole.interval.low === null) throw new Error("no interval");
        const { low, high } = whole.interval;
        expect(low <= whole.value + 1e-12 && whole.value <= high + 1e-12).toBe(true);
        expect(low > 0 || high < 0).toBe(whole.verdict.logWealth >= Math.log(20));
      }),
    );
  });

  it("turns with the sides", () => {
    fc.assert(
      fc.property(differences, (values) => {
        const turned = values.map((value) => -value);
        const [there, back] = [
          sequentialTest(values, { alternative: "greater", against: -0.1 }),
          sequentialTest(turned, { alternative: "less", against: 0.1 }),
        ];
        if (there.value === null || back.value === null) throw new Error("no mean");
        if (there.interval.low === null || back.interval.low === null) throw new Error("no interval");
        expect(back.verdict.p).toBeCloseTo(there.verdict.p, 9);
        expect(back.interval.high).toBeCloseTo(-there.interval.low, 9);
      }),
    );
  });

  it("shows that one side is not worse than a margin before it shows that it is better", () => {
    const next = (random: Random): number => [0, 0, 0, 1, -1, 1][random.int(6)] ?? 0;
    const values = stream({ next, length: 400, seed: 2 });
    const [better, notWorse] = [0, -0.1].map((against) => {
      const one = sequentialTest(values, { alternative: "greater", against });
      return one.value === null ? null : one.verdict.decidedAt;
    });
    expect(notWorse).not.toBeNull();
    expect(notWorse ?? 400).toBeLessThan(better ?? 400);
  });

  it("refuses differences beyond 1, naming the remedy, and has nothing to say of none", () => {
    expect(() => createSequentialTest().observe(1.5)).toThrow("divide by the range");
    expect(() => createSequentialTest({ against: 1 })).toThrow(StatisticsInputError);
    expect(sequentialTest([])).toEqual({ value: null, n: 0, why: "too_few" });
  });
});
