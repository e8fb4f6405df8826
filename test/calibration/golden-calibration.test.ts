import { describe, expect, it } from "vitest";
import { CalibrationError } from "../../shared/calibration/calibration-error.ts";
import { compareScores } from "../../shared/calibration/compare-scores.ts";
import { fitCalibration } from "../../shared/calibration/fit-calibration.ts";
import { readCalibrationRows } from "../../shared/calibration/read-rows.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";
import { fitRequest } from "./rows.ts";

interface Expected {
  readonly $error?: string;
  readonly pearson_r: number;
  readonly spearman_rho: number;
  readonly agreement_rate: number;
  readonly details: {
    readonly n: number;
    readonly pearson_p_value: number | { readonly $float: string };
    readonly spearman_p_value: number | { readonly $float: string };
    readonly mean_absolute_error: number;
    readonly max_error: number;
    readonly min_error: number;
  };
}

type Case = GoldenCase<
  { readonly reward_scores: readonly number[]; readonly human_scores: readonly number[] },
  { readonly with_scipy: Expected }
>;

const cases = golden<Case>("calibration.json");
const options = { seed: 1, resamples: 100 } as const;

/** The reference rounds to so many places. */
function rounded(value: number | null, places: number): number | null {
  return value === null ? null : Number(value.toFixed(places));
}

/** null for NaN. */
function pOf(p: number | { readonly $float: string }): number | null {
  return typeof p === "number" ? p : null;
}

describe.skipIf(!hasGolden)(`calibration figures of the reference${whyGolden}`, () => {
  const sound = cases.filter((one) => one.reference_defect === undefined);

  it.each(sound.filter(({ expected }) => expected.with_scipy.$error === undefined))("$name", (one) => {
    const expected = one.expected.with_scipy;
    const actual = compareScores(readCalibrationRows(JSON.stringify(one.input), one.name), options);
    const p = [actual.pearson, actual.spearman].map((result) =>
      result.value === null ? null : result.test.p,
    );
    const { details } = expected;
    expect({
      n: actual.n,
      pearson: rounded(actual.pearson.value, 4),
      spearman: rounded(actual.spearman.value, 4),
      agreement: rounded(actual.agreement.value, 4),
      error: rounded(actual.mean_absolute_error.value, 4),
      most: rounded(actual.max_error, 4),
      least: rounded(actual.min_error, 4),
      p: p.map((value) => rounded(value, 6)),
    }).toEqual({
      n: details.n,
      pearson: expected.pearson_r,
      spearman: expected.spearman_rho,
      agreement: expected.agreement_rate,
      error: details.mean_absolute_error,
      most: details.max_error,
      least: details.min_error,
      p: [pOf(details.pearson_p_value), pOf(details.spearman_p_value)],
    });
  });

  it.each(sound.filter(({ expected }) => expected.with_scipy.$error !== undefined))(
    "$name is refused with the reason",
    (one) => {
      const compare = (): unknown =>
        compareScores(readCalibrationRows(JSON.stringify(one.input), one.name), options);
      expect(compare).toThrow(CalibrationError);
      expect(compare).toThrow(/at least 2|stand against/);
    },
  );

  it.each(cases.filter((one) => one.reference_defect !== undefined))(
    "$name: no NaN and no 0, but the reason, and no fit",
    (one) => {
      const rows = readCalibrationRows(JSON.stringify(one.input), one.name);
      const actual = compareScores(rows, options);
      for (const figure of [actual.pearson, actual.spearman, actual.kendall]) {
        expect(figure).toEqual({ value: null, n: rows.length, why: "constant" });
      }
      expect(actual.agreement.value).toBe(one.expected.with_scipy.agreement_rate);
      expect(() => fitCalibration(fitRequest(rows))).toThrow(CalibrationError);
    },
  );
});
