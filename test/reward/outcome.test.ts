import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { getDomainProfile, listDomainProfiles } from "../../shared/domains/builtin.ts";
import { scoreEfficiency, scoreOutcome } from "../../shared/reward/outcome.ts";

const spec = getDomainProfile("coding").outcomeSpec;

describe("outcome", () => {
  it.for([
    [{ success: true }, 1],
    [{ success: "false" }, 0],
    [{ success: "True" }, 1],
    [{ success: "maybe" }, null],
    [{ success: null }, null],
    [{}, null],
    [null, null],
    ["success", null],
    [{ tests_passed: 3, tests_total: 4 }, 0.75],
    [{ tests_passed: 5, tests_total: 4 }, 1],
    [{ tests_passed: -2, tests_total: 4 }, 0],
    [{ tests_passed: 9, tests_failed: 1, success: false }, 0.9],
    [{ tests_passed: 0, tests_failed: 0, success: true }, 1],
    [{ tests_total: null, tests_passed: Number.NaN, success: true }, 1],
    [{ success: false, score: 0.9 }, 0.9],
    // Writers that have no score leave 0.
    [{ success: true, score: 0 }, 1],
    [{ success: true, score: Number.POSITIVE_INFINITY }, 1],
    [{ partial_credit: 0.4, success: true, tests_passed: 1, tests_total: 1 }, 0.4],
    [{ partial_credit: "0.4" }, 0.4],
    [{ partial_credit: Number.NaN, success: true }, 1],
  ] as const)("reads %j as %s", ([outcome, expected]) => {
    expect(scoreOutcome(outcome, spec)).toBe(expected);
  });

  it("of a crew is its success, however many tokens it took", () => {
    const crew = getDomainProfile("crew").outcomeSpec;
    expect(scoreOutcome({ success: true, total_steps: 4, total_tokens: 5_000 }, crew)).toBe(1);
  });

  it("is null or in [0, 1] for any value in any domain, and never throws", () => {
    const fields = fc.constantFrom(
      "success",
      "score",
      "tests_passed",
      "tests_failed",
      "tests_total",
      "partial_credit",
    );
    fc.assert(
      fc.property(
        fc.dictionary(fields, fc.anything()),
        fc.constantFrom(...listDomainProfiles()),
        (outcome, domain) => {
          const value = scoreOutcome(outcome, getDomainProfile(domain).outcomeSpec);
          expect(value === null || (value >= 0 && value <= 1)).toBe(true);
        },
      ),
    );
  });
});

describe("efficiency", () => {
  it("is the share of the steps taken that were needed", () => {
    expect(scoreEfficiency(4, 3)).toBe(0.75);
    expect(scoreEfficiency(1, 3)).toBe(1);
    expect(scoreEfficiency(0, 3)).toBe(0);
    expect(scoreEfficiency(5, Number.NaN)).toBe(1);
  });
});
