import { describe, expect, it } from "vitest";
import { meanAbsoluteError } from "../../shared/statistics/absolute-error.ts";
import { pairwiseAgreement } from "../../shared/statistics/agreement.ts";
import { auc } from "../../shared/statistics/auc.ts";
import { bcaInterval, percentileInterval } from "../../shared/statistics/bootstrap-interval.ts";
import { brierScore } from "../../shared/statistics/brier.ts";
import { normalCritical, tCritical } from "../../shared/statistics/distributions.ts";
import { expectedCalibrationError } from "../../shared/statistics/ece.ts";
import { kappa } from "../../shared/statistics/kappa.ts";
import { kendall } from "../../shared/statistics/kendall.ts";
import { krippendorffAlpha } from "../../shared/statistics/krippendorff-alpha.ts";
import { logLoss } from "../../shared/statistics/log-loss.ts";
import { mean, meanOf } from "../../shared/statistics/mean.ts";
import { pearson } from "../../shared/statistics/pearson.ts";
import { median, quantile } from "../../shared/statistics/quantile.ts";
import { createRandom, fromState } from "../../shared/statistics/random.ts";
import { jackknifeReplicates, singleUnits } from "../../shared/statistics/resampling.ts";
import type { Correlation, Estimate, Interval } from "../../shared/statistics/result.ts";
import { signFlipTest } from "../../shared/statistics/sign-flip.ts";
import { spearman } from "../../shared/statistics/spearman.ts";
import { proportion } from "../../shared/statistics/wilson.ts";
import { close, vectors } from "./vectors.ts";

/** The cases in which a figure is not what the other package says, so that a failure shows them all. */
function differing<T>(
  cases: readonly T[],
  pairs: (one: T) => readonly (readonly [number | null, number | null])[],
) {
  expect(cases.length).toBeGreaterThan(0);
  return cases.flatMap((one, index) => {
    const wrong = pairs(one).filter(([actual, expected]) => !close(actual, expected));
    return wrong.length === 0 ? [] : [{ index, wrong }];
  });
}

function half(interval: Interval): number | null {
  return interval.low === null ? null : (interval.high - interval.low) / 2;
}

function widthOf(estimate: Estimate): number | null {
  return estimate.value === null ? null : half(estimate.interval);
}

function tested(actual: Correlation, expected: { readonly r: number; readonly p: number | null } | null) {
  const p = actual.value === null ? null : actual.test.p;
  return [
    [actual.value, expected?.r ?? null],
    [p, expected?.p ?? null],
  ] as const;
}

const options = { seed: 1, resamples: 100 } as const;

describe("statistics agree to 1e-9 with scipy, scikit-learn and statsmodels", () => {
  it("Pearson's r, its p-value and Fisher's interval", () => {
    const wrong = differing(vectors.correlations, ({ x, y, pearson: expected, fisher90 }) => {
      const actual = pearson(x, y, { level: 0.9 });
      const interval = actual.value === null ? null : actual.interval;
      const bounds = [interval?.low ?? null, interval?.high ?? null] as const;
      const ends = fisher90 === null ? [] : fisher90.map((end, at) => [bounds[at] ?? null, end] as const);
      return [...tested(actual, expected), ...ends];
    });
    expect(wrong).toEqual([]);
  });

  it("Spearman's rho and its p-value", () => {
    const wrong = differing(vectors.correlations, ({ x, y, spearman: expected }) =>
      tested(spearman(x, y), expected),
    );
    expect(wrong).toEqual([]);
  });

  it("Kendall's tau-b and its p-value, exact and asymptotic", () => {
    const wrong = differing(vectors.correlations, ({ x, y, kendall: expected }) =>
      tested(kendall(x, y), expected),
    );
    expect(wrong).toEqual([]);
    const methods = vectors.correlations.map(({ x, y }) => kendall(x, y));
    const used = new Set(methods.map((result) => (result.value === null ? null : result.test.method)));
    expect(used).toEqual(new Set(["exact", "normal", null]));
  });

  it("pairwise agreement and its jackknife error, counted pair by pair", () => {
    const wrong = differing(vectors.correlations, ({ x, y, agreement: { value, error } }) => {
      const actual = pairwiseAgreement(x, y);
      const width = widthOf(actual);
      const expected = error === null ? null : Math.min(1, value + tCritical(0.95, x.length - 1) * error);
      const high = actual.value === null || width === null ? null : actual.interval.high;
      return width === null
        ? [[actual.value, value]]
        : [
            [actual.value, value],
            [high, expected],
          ];
    });
    expect(wrong).toEqual([]);
  });

  it("mean absolute error and its t interval", () => {
    const wrong = differing(vectors.correlations, ({ x, y, mae }) => {
      const actual = meanAbsoluteError(x, y);
      const high = actual.value === null ? null : actual.interval.high;
      return high === null
        ? [[actual.value, mae.value]]
        : [
            [actual.value, mae.value],
            [high, mae.value + mae.half],
          ];
    });
    expect(wrong).toEqual([]);
  });

  it.each(["none", "linear", "quadratic"] as const)(
    "Cohen's kappa with weights %s and its error",
    (weights) => {
      const wrong = differing(vectors.kappas, ({ a, b, categories, kappa: expected }) => {
        const { value, error } = expected[weights];
        const actual = kappa({ a, b }, { categories, weights });
        const interval = actual.value === null ? null : actual.interval;
        if (interval === null || interval.low === null || error === null) return [[actual.value, value]];
        return [
          [actual.value, value],
          [interval.high, Math.min(1, (value ?? 0) + normalCritical(0.95) * error)],
          [interval.low, Math.max(-1, (value ?? 0) - normalCritical(0.95) * error)],
        ];
      });
      expect(wrong).toEqual([]);
    },
  );

  it("area under the ROC curve and DeLong's variance", () => {
    const wrong = differing(vectors.areas, ({ scores, positive, auc: expected, variance }) => {
      const actual = auc(scores, positive);
      if (actual.value === null || actual.interval.low === null) {
        return [
          [actual.value, expected],
          [0, variance ?? 0],
        ];
      }
      const width = normalCritical(0.95) * Math.sqrt(variance ?? 0);
      return [
        [actual.value, expected],
        [actual.interval.low, Math.max(0, actual.value - width)],
        [actual.interval.high, Math.min(1, actual.value + width)],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("Brier score, log loss and both calibration errors", () => {
    const wrong = differing(vectors.probabilities, (one) => {
      const ece = (binning: "equal_width" | "equal_mass", bins: number): number | null =>
        expectedCalibrationError(one, { binning, bins, ...options }).value;
      return [
        [brierScore(one.predicted, one.observed).value, one.brier],
        [logLoss(one.predicted, one.observed).value, one.logLoss],
        [ece("equal_width", 10), one.ece.equal_width],
        [ece("equal_mass", 5), one.ece.equal_mass],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("mean, its t interval, quantiles and median", () => {
    const wrong = differing(vectors.spreads, (one) => {
      const actual = mean(one.values);
      const width = widthOf(actual);
      return [
        [actual.value, one.mean],
        [width ?? 0, one.half ?? 0],
        [quantile(one.values, one.q, options).value, one.quantile],
        [median(one.values, options).value, one.median],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("Wilson's interval", () => {
    const wrong = differing(vectors.shares, ({ successes, n, low, high }) => {
      const actual = proportion(successes, n);
      return actual.value === null
        ? [[null, low]]
        : [
            [actual.interval.low, low],
            [actual.interval.high, high],
          ];
    });
    expect(wrong).toEqual([]);
  });

  it("percentile and BCa intervals of the same replicates", () => {
    const wrong = differing(vectors.resampled, ({ values, value, replicates, percentile, bca }) => {
      const statistic = (indices: readonly number[]): number =>
        meanOf(indices.map((index) => values[index] ?? 0));
      const jackknife = jackknifeReplicates(singleUnits(values.length), statistic);
      const plain = percentileInterval(replicates, 0.95);
      const corrected = bcaInterval({ value, replicates, jackknife, level: 0.95 });
      return [
        [plain.low, percentile[0]],
        [plain.high, percentile[1]],
        [corrected.low, bca[0]],
        [corrected.high, bca[1]],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("the exact sign-flip test", () => {
    const wrong = differing(vectors.flipped, ({ values, p }) => {
      const actual = signFlipTest(values, options);
      return [[actual.value === null ? null : actual.test.p, p]];
    });
    expect(wrong).toEqual([]);
  });

  it("Krippendorff's alpha", () => {
    const wrong = differing(vectors.alphas, ({ units, alpha }) => [
      [krippendorffAlpha(units, options).value, alpha],
    ]);
    expect(wrong).toEqual([]);
  });

  it("the generator's words, from its seed and from the reference's state", () => {
    for (const { seed, words } of vectors.random) {
      const random = createRandom(seed);
      expect(words.map(() => random.uint32())).toEqual(words);
    }
    const known = fromState([1, 2, 3, 4]);
    expect([known.uint32(), known.uint32(), known.uint32()]).toEqual([11520, 0, 5927040]);
  });
});
