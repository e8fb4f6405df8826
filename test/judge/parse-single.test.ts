import { describe, expect, it } from "vitest";
import { parseSingleJudgement } from "../../shared/judge/parse-single.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";
import { rubricsNamed } from "./factories.ts";

interface Input {
  readonly text: string;
  readonly rubrics: readonly { readonly id: string; readonly weight: number }[];
}
type Expected =
  | { readonly $error: string }
  | {
      readonly score: number;
      readonly rationale: string;
      readonly rubric_scores: Readonly<Record<string, number>>;
    };

const cases = golden<GoldenCase<Input, Expected>>("judge.json").filter(({ name }) =>
  name.startsWith("parse_"),
);
const rubricsOf = (input: Input) =>
  rubricsNamed(...input.rubrics.map(({ id }) => id)).map((rubric, i) => ({
    ...rubric,
    weight: input.rubrics[i]?.weight ?? 0,
  }));

describe.skipIf(!hasGolden)(`answers to one step as knowlyr-gym reads them${whyGolden}`, () => {
  it.each(cases.filter(({ reference_defect }) => reference_defect === undefined))(
    "$name",
    ({ input, expected }) => {
      const read = parseSingleJudgement(input.text, rubricsOf(input), { missing: "neutral" });
      if ("$error" in expected) return expect(read.kind).toBe("unreadable");
      expect(read).toMatchObject({
        kind: "scored",
        scores: expected.rubric_scores,
        rationale: expected.rationale,
      });
      return expect(read.kind === "scored" && read.score).toBeCloseTo(expected.score, 12);
    },
  );

  it("are read right where knowlyr-gym is wrong", () => {
    const flagged = cases.filter(({ reference_defect }) => reference_defect !== undefined);
    const read = flagged.map(({ name, input }) => {
      const result = parseSingleJudgement(input.text, rubricsOf(input), { missing: "neutral" });
      return [name, result.kind === "scored" ? result.scores : result.kind];
    });
    expect(read).toEqual([
      ["parse_nan", { a: 0.5, b: 0.5, c: 0.5 }],
      ["parse_braces_in_text", { a: 0.2, b: 0.4, c: 1 }],
    ]);
  });
});

describe("an answer to one step", () => {
  const rubrics = rubricsNamed("a", "b");
  const absent = (text: string) => parseSingleJudgement(text, rubrics, { missing: "absent" });

  it("has only the scores that are numbers from 0 to 1, unless the compatible reading is wanted", () => {
    for (const bad of [
      '"0.5"',
      "true",
      "null",
      "NaN",
      "Infinity",
      "-Infinity",
      "1.2",
      "-0.1",
      "1e999",
      "{}",
    ]) {
      const read = absent(`{"scores":{"a":${bad},"b":0.5},"rationale":"r"}`);
      expect(read).toMatchObject({ kind: "scored", scores: { b: 0.5 }, score: 0.5 });
      expect(read.problems).toHaveLength(1);
    }
    const lenient = parseSingleJudgement('{"scores":{"a":"0.25","b":-Infinity}}', rubrics, {
      missing: "neutral",
    });
    expect(lenient).toMatchObject({ scores: { a: 0.25, b: 0.5 } });
  });

  it("does not take a number that was cut off for a score", () => {
    for (const text of ['{"scores":{"a":1,"b":0', '{"scores":{"a":1,"b":0.', '{"scores":{"a":1,"b":0.2']) {
      expect(absent(text).kind).toBe("unreadable");
      expect(parseSingleJudgement(text, rubrics, { missing: "neutral" })).toMatchObject({
        scores: { a: 1, b: 0.5 },
      });
    }
    expect(absent('{"scores":{"a":1,"b":0.2},"ration')).toMatchObject({ scores: { a: 1, b: 0.2 } });
  });

  it("does not choose between two answers that differ", () => {
    expect(absent('{"scores":{"a":1,"b":1}} or rather {"scores":{"a":0,"b":0}}')).toEqual({
      kind: "unreadable",
      problems: [{ kind: "several-answers" }],
    });
  });
});
