import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSampling, type Sampling, sampleToken } from "../../shared/inference/sampling.ts";
import { InferenceError } from "../../shared/ports/causal-model.ts";
import { createRandom } from "../../shared/statistics/random.ts";

const logits = fc
  .array(fc.float({ noNaN: true, min: -20, max: 20 }), { minLength: 1, maxLength: 40 })
  .map((values) => Float32Array.from(values));
const sampling = fc.record({
  temperature: fc.constantFrom(0, 0.3, 1, 1.7),
  topK: fc.integer({ min: 0, max: 12 }),
  topP: fc.constantFrom(0.1, 0.5, 0.9, 1),
});
const seed = fc.integer({ min: 0, max: 2 ** 31 });

/** The distribution written out: temperature, then the k likeliest, then the fewest that reach p. */
function distribution(of: Float32Array, { temperature, topK = 0, topP = 1 }: Sampling): readonly number[] {
  const scaled = [...of].map((logit) => logit / temperature);
  const most = Math.max(...scaled);
  const weights = scaled.map((logit) => Math.exp(logit - most));
  const least = topK > 0 && topK < of.length ? ([...of].toSorted((a, b) => b - a)[topK - 1] ?? 0) : -Infinity;
  const kept = weights.map((weight, token) => ((of[token] ?? 0) >= least ? weight : 0));
  const sum = kept.reduce((a, b) => a + b, 0);
  const order = kept.map((_, token) => token).toSorted((a, b) => (kept[b] ?? 0) - (kept[a] ?? 0) || a - b);
  let reached = 0;
  const inside = new Set<number>();
  for (const token of order) {
    inside.add(token);
    reached += (kept[token] ?? 0) / sum;
    if (reached >= topP) break;
  }
  const final = kept.map((weight, token) => (inside.has(token) ? weight : 0));
  const all = final.reduce((a, b) => a + b, 0);
  return final.map((weight) => weight / all);
}

describe("sampling", () => {
  it("draws only what top-k and top-p leave", () => {
    fc.assert(
      fc.property(logits, sampling, seed, (of, how, start) => {
        const { token } = sampleToken(of, how, createRandom(start));
        if (how.temperature === 0) expect(of[token]).toBe(Math.max(...of));
        else expect(distribution(of, how)[token]).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it("draws the same token from the same seed", () => {
    fc.assert(
      fc.property(logits, sampling, seed, (of, how, start) => {
        expect(sampleToken(of, how, createRandom(start))).toEqual(sampleToken(of, how, createRandom(start)));
      }),
    );
  });

  it.each([
    { temperature: 1 },
    { temperature: 0.5 },
    { temperature: 1.5, topK: 4 },
    { temperature: 1, topP: 0.8 },
    { temperature: 0.9, topK: 6, topP: 0.7 },
  ])("draws each token as often as its share says: %o", (how) => {
    const of = Float32Array.from([2, 1.5, 0, -1, 1.2, 0.3, -4, 0.8]);
    const expected = distribution(of, how);
    const counts = new Array<number>(of.length).fill(0);
    const random = createRandom(3);
    const draws = 40_000;
    for (let draw = 0; draw < draws; draw += 1) {
      const { token } = sampleToken(of, how, random);
      counts[token] = (counts[token] ?? 0) + 1;
    }
    const chi = expected.reduce(
      (sum, share, token) =>
        share === 0 ? sum : sum + ((counts[token] ?? 0) - draws * share) ** 2 / (draws * share),
      0,
    );
    expect(expected.every((share, token) => share > 0 || counts[token] === 0)).toBe(true);
    // The 99.99 % point of chi-squared with 7 degrees of freedom.
    expect(chi).toBeLessThan(29.9);
  });

  it("tells the log-prob at the temperature in use, before top-k and top-p", () => {
    fc.assert(
      fc.property(logits, sampling, seed, (of, how, start) => {
        const { token, logprob } = sampleToken(of, how, createRandom(start));
        const plain = distribution(of, { temperature: how.temperature || 1 });
        expect(Math.exp(logprob)).toBeCloseTo(plain[token] ?? Number.NaN, 6);
        expect(logprob).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  it("takes the first of equals where the temperature is 0", () => {
    expect(sampleToken(Float32Array.from([1, 3, 3]), { temperature: 0 }, createRandom(0)).token).toBe(1);
  });

  it("refuses logits that are no numbers", () => {
    for (const bad of [[1, Number.NaN], [Number.POSITIVE_INFINITY, 0], [Number.NEGATIVE_INFINITY], []]) {
      expect(() => sampleToken(Float32Array.from(bad), { temperature: 1 }, createRandom(0))).toThrow(
        InferenceError,
      );
    }
  });

  it("refuses settings that mean nothing", () => {
    for (const how of [
      { temperature: -1 },
      { temperature: Number.NaN },
      { temperature: 1, topK: 1.5 },
      { temperature: 1, topP: 0 },
      { temperature: 1, topP: 2 },
    ]) {
      expect(() => checkSampling(how)).toThrow(RangeError);
    }
  });
});
