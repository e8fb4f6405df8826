import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineSamples } from "../../shared/judge/combine-samples.ts";
import { repeatConsistency, summariseDisagreement, swapConsistency } from "../../shared/judge/reliability.ts";
import { rubricsNamed } from "./factories.ts";

const score = fc.double({ min: 0, max: 1, noNaN: true });

describe("samples of one window", () => {
  it("come to a mean within their range, whatever their order", () => {
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 9 }), (values) => {
        const samples = values.map((a) => [{ index: 3, scores: { a }, rationale: `${a}` }]);
        const options = { rubrics: rubricsNamed("a"), indices: [3] };
        const [step] = combineSamples(samples, options);
        const mean = step?.scores["a"] ?? Number.NaN;
        expect(mean).toBeGreaterThanOrEqual(Math.min(...values) - 1e-12);
        expect(mean).toBeLessThanOrEqual(Math.max(...values) + 1e-12);
        const deviation = step?.disagreement?.["a"] ?? 0;
        expect(deviation).toBeLessThanOrEqual((Math.max(...values) - Math.min(...values)) / 2 + 1e-9);
        const [turned] = combineSamples(samples.toReversed(), options);
        expect(turned?.scores["a"]).toBeCloseTo(mean, 12);
        expect(values.map(String)).toContain(step?.rationale);
      }),
    );
  });

  it("count a rubric only where more than half of them scored it", () => {
    const vote = (scores: Readonly<Record<string, number>>) => [{ index: 0, scores, rationale: "" }];
    const samples = [vote({ a: 1, b: 1 }), vote({ a: 0 }), null];
    const options = { rubrics: rubricsNamed("a", "b"), indices: [0, 1] };
    expect(combineSamples(samples, options)).toEqual([
      { index: 0, scores: { a: 0.5 }, disagreement: { a: 0.5 }, rationale: "" },
    ]);
  });
});

describe("how well a judge agrees with itself", () => {
  it("is the mean distance of repeats and the share of close ones, with n and interval", () => {
    const repeats = [
      [{ a: 0.5 }, { a: 0.5 }],
      [{ a: 0.25 }, { a: 0.5 }],
      [{ a: 0 }, { a: 1 }],
      [{ a: 0 }, null],
      [{ a: 0 }, { b: 1 }],
    ];
    const [a, b] = repeatConsistency(repeats, ["a", "b"]);
    expect(a).toMatchObject({
      rubric: "a",
      meanDifference: { value: expect.closeTo(1.25 / 3, 12), n: 3 },
      close: { value: expect.closeTo(2 / 3, 12), n: 3, interval: { method: "wilson" } },
    });
    expect(b).toMatchObject({ meanDifference: { value: null, n: 0 }, close: { value: null, n: 0 } });
  });

  it("takes all pairs of more than two repeats, and the widest for closeness", () => {
    const [a] = repeatConsistency([[{ a: 0 }, { a: 0.2 }, { a: 0.4 }]], ["a"]);
    expect(a?.meanDifference.value).toBeCloseTo((0.2 + 0.4 + 0.2) / 3, 12);
    expect(a?.close.value).toBe(0);
  });

  it("is for pairs the share whose verdict survives a swap", () => {
    const chosen = { kind: "chosen", chosen: "first", confidence: 1 } as const;
    expect(swapConsistency([chosen, chosen, { kind: "tie" }, { kind: "inconsistent" }])).toMatchObject({
      n: 4,
      ties: 1,
      consistent: { value: 0.75, n: 4 },
      inconsistent: { value: 0.25, n: 4 },
    });
    expect(swapConsistency([])).toMatchObject({ n: 0, consistent: { value: null } });
  });

  it("is for samples how wide they scatter", () => {
    const step = (a: number) => ({ index: 0, scores: { a: 0.5 }, rationale: "", disagreement: { a } });
    const plain = { index: 1, scores: { a: 1 }, rationale: "" };
    const summary = summariseDisagreement(
      [{ steps: [step(0.1), plain] }, { steps: [step(0.3)] }],
      ["a", "b"],
    );
    expect(summary).toMatchObject([
      {
        rubric: "a",
        meanDeviation: { value: expect.closeTo(0.2, 12), n: 2 },
        greatest: 0.3,
        wide: { value: 0.5 },
      },
      { rubric: "b", meanDeviation: { value: null, n: 0 }, greatest: null },
    ]);
  });
});
