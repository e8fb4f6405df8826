import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EvaluationEpisode } from "../../shared/contracts/evaluation-episode.ts";
import { type Decision, decisionSchema } from "../../shared/contracts/model.ts";
import { type PromotionPolicy, promotionPolicySchema } from "../../shared/contracts/promotion-policy.ts";
import { decide } from "../../shared/registry/gate.ts";
import { createRandom, type Random } from "../../shared/statistics/random.ts";
import { episodes, planOf } from "./episodes.ts";

type Episodes = readonly EvaluationEpisode[];

function policy(over: Record<string, unknown> = {}): PromotionPolicy {
  return promotionPolicySchema.parse({ minimumTasks: 10, minimumEpisodes: 10, ...over });
}

function contest(candidate: Episodes, champion: Episodes, over: Record<string, unknown> = {}): Decision {
  const decision = decide({
    model: "m",
    candidate: { version: "2", episodes: candidate },
    champion: { version: "1", episodes: champion },
    planned: planOf(champion),
    policy: policy(over),
    challenge: 1,
  });
  // What is stored can be read again.
  return decisionSchema.parse(JSON.parse(JSON.stringify(decision)));
}

const size = { tasks: 30 };
const good = episodes(size, () => ({ success: true }));
const poor = episodes(size, (task) => ({ success: task % 3 === 0 }));

describe("the gate", () => {
  it("promotes a candidate that is shown to be better, and states every number", () => {
    const decision = contest(good, poor, {
      guards: [
        { metric: "cost", margin: 0.2 },
        { metric: "violations", margin: 0.15 },
      ],
    });
    expect(decision.verdict).toBe("promote");
    expect(decision.reasons).toEqual([]);
    const [data, failed, least, metric, cost, violations] = decision.conditions;
    expect(data).toMatchObject({ id: "data", planned: 30, pairs: 30, unequal_seeds: 0 });
    expect(failed).toMatchObject({ id: "failed", share: { candidate: 0, champion: 0 } });
    expect(least).toMatchObject({ id: "size", tasks: 30, episodes: 30 });
    expect(metric).toMatchObject({
      id: "metric",
      mean: { candidate: 1, champion: expect.closeTo(1 / 3) },
      difference: { value: expect.closeTo(2 / 3), n: 30 },
      test: { method: "monte_carlo", alpha: 0.05 },
    });
    expect(cost).toMatchObject({ id: "guard", metric: "cost", verdict: "pass" });
    expect(violations).toMatchObject({ id: "guard", metric: "violations", verdict: "pass" });
  });

  it("rejects a candidate that is the same, and one that is worse", () => {
    expect(contest(poor, poor).verdict).toBe("reject");
    expect(contest(poor, good).verdict).toBe("reject");
    expect(contest(poor, poor).reasons[0]).toContain("it is not shown that success is better: p = 1.00");
  });

  it("rejects a better candidate that a guard speaks against", () => {
    const dear = good.map((each) => ({ ...each, cost_usd: 0.05 }));
    const decision = contest(dear, poor, { guards: [{ metric: "cost", margin: 0.5 }] });
    expect(decision.verdict).toBe("reject");
    expect(decision.reasons[0]).toContain("cost");
    const unsafe = good.map((each, index) => ({ ...each, violations: index % 3 === 0 ? 2 : 0 }));
    expect(contest(unsafe, poor, { guards: [{ metric: "violations", margin: 0.1 }] }).verdict).toBe("reject");
  });

  it("lets a cost of nothing pass, since it cannot have grown", () => {
    const free = (all: Episodes): Episodes => all.map((each) => ({ ...each, cost_usd: 0 }));
    expect(contest(free(good), free(poor), { guards: [{ metric: "cost", margin: 0 }] }).verdict).toBe(
      "promote",
    );
  });

  it("does not take a few equal episodes as proof that a candidate is no worse", () => {
    const goal = { kind: "non-inferiority", margin: 0.05 };
    const few = contest(good, good, { goal });
    expect(few.verdict).toBe("reject");
    // 0.95^30 = 0.21: so often would a candidate that fails in 5 % show nothing of it.
    expect(few.conditions[3]).toMatchObject({ test: { method: "betting" } });
    const many = episodes({ tasks: 120 }, () => ({ success: true }));
    expect(contest(many, many, { goal }).verdict).toBe("promote");
  });

  it("demands the margin of a superiority with one", () => {
    const slightly = episodes({ tasks: 200 }, (task) => ({ success: task % 10 < 5 }));
    const before = episodes({ tasks: 200 }, (task) => ({ success: task % 10 < 4 }));
    expect(contest(slightly, before).verdict).toBe("promote");
    expect(contest(slightly, before, { goal: { kind: "superiority", margin: 0.1 } }).verdict).toBe("reject");
    expect(contest(slightly, before, { goal: { kind: "superiority", margin: 0.01 } }).verdict).toBe(
      "promote",
    );
  });

  it("compares returns, and with a margin only within their range", () => {
    const high = episodes(size, (task) => ({ return: 2 + task / 100 }));
    const low = episodes(size, (task) => ({ return: 1 + task / 50 }));
    expect(contest(high, low, { metric: "return" }).verdict).toBe("promote");
    const ranged = { metric: "return", range: [0, 4], goal: { kind: "superiority", margin: 0.1 } };
    expect(contest(high, low, ranged).verdict).toBe("promote");
    expect(contest(high, low, { ...ranged, range: [0, 1.5] }).verdict).toBe("invalid");
    expect(() => policy({ metric: "return", goal: { kind: "superiority", margin: 0.1 } })).toThrow(/range/);
  });

  it("makes the first champion only where the policy says what it must reach", () => {
    const alone = (over: Record<string, unknown>, all: Episodes = good): Decision =>
      decide({
        model: "m",
        candidate: { version: "1", episodes: all },
        champion: null,
        planned: planOf(all),
        policy: policy(over),
        challenge: 1,
      });
    expect(alone({}).verdict).toBe("reject");
    expect(alone({ first: { least: 0.7 } }).verdict).toBe("promote");
    expect(alone({ first: { least: 0.7 } }, poor).verdict).toBe("reject");
    expect(alone({ first: { least: 0.7 } }, []).verdict).toBe("invalid");
    expect(decisionSchema.parse(alone({ first: { least: 0.7 } })).conditions[0]).toMatchObject({
      missing: { candidate: 0, champion: null },
    });
  });

  it("spends α over the candidates that meet one champion", () => {
    const used = (correction: unknown, challenge: number): number =>
      decide({
        model: "m",
        candidate: { version: "2", episodes: good },
        champion: { version: "1", episodes: poor },
        policy: policy({ correction }),
        challenge,
      }).alpha.used;
    expect(used({ kind: "none" }, 9)).toBe(0.05);
    expect(used({ kind: "bonferroni", comparisons: 4 }, 9)).toBe(0.0125);
    const spent = Array.from({ length: 10 }, (_, index) => used({ kind: "spending" }, index + 1));
    const total = spent.reduce((sum, each) => sum + each, 0);
    // Σ 1/k² is π²/6 without end, and 1.5498 up to 10.
    expect(total).toBeCloseTo((0.05 * 6 * 1.5497677) / Math.PI ** 2, 8);
  });

  describe("never passes on missing data", () => {
    const spoils: readonly (readonly [string, (all: Episodes) => Episodes])[] = [
      ["an episode that is missing", (all) => all.slice(1)],
      ["an episode that is there twice", (all) => [...all, ...all.slice(0, 1)]],
      ["an episode that was not planned", (all) => [...all, { ...(all[0] ?? fail()), attempt: 99 }]],
      ["another seed", (all) => all.map((each, index) => (index === 3 ? { ...each, seed: 1 } : each))],
      ["no verdict", (all) => all.map((each, index) => (index === 3 ? { ...each, success: null } : each))],
      ["no price", (all) => all.map((each, index) => (index === 3 ? { ...each, cost_usd: null } : each))],
      [
        "a price that is no number",
        (all) => all.map((each, index) => (index === 3 ? { ...each, cost_usd: Number.NaN } : each)),
      ],
      [
        "steps without end",
        (all) =>
          all.map((each, index) => (index === 3 ? { ...each, steps: Number.POSITIVE_INFINITY } : each)),
      ],
      [
        "violations that are no number",
        (all) => all.map((each, index) => (index === 3 ? { ...each, violations: Number.NaN } : each)),
      ],
      [
        "too many failed",
        (all) => all.map((each, index) => (index < 4 ? { ...each, status: "failed" } : each)),
      ],
      ["nothing at all", () => []],
    ];
    const guards = [
      { metric: "cost", margin: 0.2 },
      { metric: "steps", margin: 0.2 },
      { metric: "violations", margin: 0.15 },
    ];
    it.each(spoils)("%s makes the evaluation invalid, on either side and on both", (_, spoil) => {
      expect(contest(good, poor, { guards }).verdict).toBe("promote");
      const run = (candidate: Episodes, champion: Episodes): Decision =>
        decide({
          model: "m",
          candidate: { version: "2", episodes: candidate },
          champion: { version: "1", episodes: champion },
          planned: planOf(poor),
          policy: policy({ guards }),
          challenge: 1,
        });
      for (const decision of [
        run(spoil(good), poor),
        run(good, spoil(poor)),
        run(spoil(good), spoil(poor)),
      ]) {
        expect(decision.verdict).toBe("invalid");
        expect(decision.reasons.length).toBeGreaterThan(0);
      }
    });

    it("whatever is taken out or spoiled, the verdict is never to promote", () => {
      const fields = ["success", "cost_usd", "return", "steps", "seconds", "violations", "seed"] as const;
      const bad = fc.constantFrom<unknown>(null, Number.NaN, Number.POSITIVE_INFINITY, undefined);
      fc.assert(
        fc.property(
          fc.constantFrom("candidate", "champion"),
          fc.nat(29),
          fc.oneof(fc.constant("gone" as const), fc.tuple(fc.constantFrom(...fields), bad)),
          (side, index, what) => {
            const spoil = (all: Episodes): Episodes =>
              what === "gone"
                ? all.filter((_, each) => each !== index)
                : all.map((each, at) =>
                    at === index ? ({ ...each, [what[0]]: what[1] } as EvaluationEpisode) : each,
                  );
            const decision = decide({
              model: "m",
              candidate: { version: "2", episodes: side === "candidate" ? spoil(good) : good },
              champion: { version: "1", episodes: side === "champion" ? spoil(poor) : poor },
              planned: planOf(poor),
              policy: policy({ guards: [...guards, { metric: "seconds", margin: 0.2 }] }),
              challenge: 1,
            });
            const looked = what === "gone" || what[0] !== "return";
            expect(decision.verdict === "promote").toBe(!looked);
          },
        ),
        { numRuns: 60 },
      );
    });

    it("too few tasks or pairs are no evaluation", () => {
      expect(contest(good, poor, { minimumTasks: 31 }).verdict).toBe("invalid");
      expect(contest(good, poor, { minimumEpisodes: 31 }).verdict).toBe("invalid");
    });
  });

  it("counts a failed episode against the candidate, so that failing never helps", () => {
    const champion = episodes({ tasks: 100 }, (task) => ({ success: task % 2 === 0 }));
    const candidate = episodes({ tasks: 100 }, (task) => ({ success: task % 2 === 0 || task % 5 === 0 }));
    const meanOf = (decision: Decision): number | null | undefined =>
      decision.conditions.find((each) => "mean" in each)?.mean.candidate;
    const failing = candidate.map((each) =>
      each.task === "t1" || each.task === "t2"
        ? { ...each, status: "failed" as const, success: null, return: null }
        : each,
    );
    expect(meanOf(contest(candidate, champion))).toBeCloseTo(0.6);
    expect(meanOf(contest(failing, champion))).toBeCloseTo(0.59);
  });

  it("never turns from yes to no because episodes of the candidate went better", () => {
    const random = createRandom(11);
    const policies = [
      {},
      { goal: { kind: "non-inferiority", margin: 0.3 } },
      { goal: { kind: "superiority", margin: 0.05 } },
      { metric: "return", range: [0, 1] },
      { metric: "return" },
    ].map((each) => ({ ...each, maxFailed: 0.2, guards: [{ metric: "steps", margin: 0.3, alpha: 0.2 }] }));
    let turned = 0;
    const some = fc.uniqueArray(fc.nat(23), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...policies), some, fc.boolean(), (over, indices, less) => {
        const champion = drawn(random, { tasks: 12, attempts: 2, rate: 0.4 });
        const candidate = drawn(random, { tasks: 12, attempts: 2, rate: 0.75 });
        const better = candidate.map((each, at) =>
          !indices.includes(at)
            ? each
            : less
              ? { ...each, steps: Math.max(0, each.steps - 2) }
              : { ...each, success: true, return: Math.min(1, (each.return ?? 0) + 0.3) },
        );
        const [before, after] = [contest(candidate, champion, over), contest(better, champion, over)];
        if (before.verdict === "promote") expect(after.verdict).toBe("promote");
        if (before.verdict !== after.verdict) turned += 1;
      }),
      // One seed: whether a verdict turns at all must not depend on the day.
      { numRuns: 150, seed: 11 },
    );
    expect(turned).toBeGreaterThan(0);
  });

  it("promotes an equal or worse candidate no more often than α allows", () => {
    const random = createRandom(5);
    const runs = 600;
    const rates = [
      { over: { alpha: 0.05 }, mine: 0.5, theirs: 0.5, attempts: 1 },
      { over: { alpha: 0.05 }, mine: 0.3, theirs: 0.3, attempts: 3 },
      {
        over: { alpha: 0.05, goal: { kind: "non-inferiority", margin: 0.1 } },
        mine: 0.85,
        theirs: 0.95,
        attempts: 1,
      },
      {
        over: { alpha: 0.05, goal: { kind: "non-inferiority", margin: 0.05 } },
        mine: 0.95,
        theirs: 1,
        attempts: 1,
      },
    ];
    for (const { over, mine, theirs, attempts } of rates) {
      let promoted = 0;
      for (let run = 0; run < runs; run += 1) {
        const candidate = drawn(random, { tasks: 12, attempts, rate: mine });
        const champion = drawn(random, { tasks: 12, attempts, rate: theirs });
        if (contest(candidate, champion, over).verdict === "promote") promoted += 1;
      }
      // Three standard errors above α.
      expect(promoted / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
    }
  });
});

/** Tasks of different difficulty around `rate`, equal for both models on average. */
function drawn(
  random: Random,
  { tasks, attempts, rate }: { readonly tasks: number; readonly attempts: number; readonly rate: number },
): Episodes {
  return episodes({ tasks, attempts }, () => {
    const success = random.float() < rate;
    return {
      success,
      return: success ? 0.5 + random.float() / 2 : random.float() / 2,
      steps: 3 + random.int(3),
    };
  });
}

function fail(): never {
  throw new Error("no episode");
}
