import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AnswerProblem, describeProblem } from "../../shared/judge/answer-problems.ts";
import { type JudgeAnswer, parseJudgeAnswer } from "../../shared/judge/parse-answer.ts";
import type { StopReason } from "../../shared/ports/chat-model.ts";
import { rubricsNamed } from "./factories.ts";

const rubrics = rubricsNamed("a", "b");
const parse = (text: string, indices: readonly number[] = [0, 1], stop: StopReason = "end"): JudgeAnswer =>
  parseJudgeAnswer(text, { rubrics, indices, stop });

const step = (index: unknown, a: unknown = 0.25, b: unknown = 1, rationale: unknown = "r"): string =>
  `{"index":${index},"rationale":${JSON.stringify(rationale)},"scores":{"a":${a},"b":${b}}}`;
const answer = (...steps: readonly string[]): string => `{"steps":[${steps.join(",")}],"manipulation":false}`;
const whole = answer(step(0), step(1, 0, 0.5));

function scoresOf(read: JudgeAnswer): unknown {
  return read.kind === "scored" ? read.steps.map(({ index, scores }) => [index, scores]) : read.kind;
}
function problemsOf(text: string, indices: readonly number[] = [0, 1]): readonly AnswerProblem[] {
  return parse(text, indices).problems;
}

describe("an answer to a window", () => {
  it("is read as it stands", () => {
    expect(parse(whole)).toEqual({
      kind: "scored",
      steps: [
        { index: 0, rationale: "r", scores: { a: 0.25, b: 1 } },
        { index: 1, rationale: "r", scores: { a: 0, b: 0.5 } },
      ],
      manipulation: false,
      problems: [],
    });
    expect(parse(`\n\`\`\`json\n${whole}\n\`\`\`\n`).problems).toEqual([]);
    expect(parse(whole.replace("false", "true"))).toMatchObject({ manipulation: true });
  });

  it("comes in the order asked, whatever order it was given in", () => {
    expect(scoresOf(parse(answer(step(1, 0, 0), step(0))))).toEqual([
      [0, { a: 0.25, b: 1 }],
      [1, { a: 0, b: 0 }],
    ]);
  });

  it.each([
    ["prose around it", `Sure! ${whole} Hope that helps.`],
    ["braces in the prose before it", `use {x} then ${whole}`],
    ["JSON in the prose before it", `from {"x":[1,{"y":2}]} I conclude ${whole}`],
    ["a fenced block within prose", `Here it is:\n\`\`\`json\n${whole}\n\`\`\`\nDone {really}.`],
    ["itself twice", `${whole}\n${whole}`],
    ["a wrapper", `{"answer":${whole}}`],
  ])("is found with %s", (_name, text) => {
    expect(scoresOf(parse(text))).toEqual(scoresOf(parse(whole)));
    expect(parse(text).problems).toEqual([{ kind: "text-around" }]);
  });

  it("is none where there are two that differ", () => {
    expect(parse(`${whole} no, ${answer(step(0), step(1))}`)).toEqual({
      kind: "unreadable",
      problems: [{ kind: "several-answers" }],
    });
  });

  it.each(["", "nothing here", "{'steps':[]}", "[]", "null", '"steps"', "{x}", "}{"])(
    "is none in %j",
    (text) => {
      expect(parse(text)).toEqual({ kind: "unreadable", problems: [{ kind: "no-json" }] });
    },
  );

  it.each(['{"rationale":"x"}', '{"steps":null}', '{"steps":{}}', '{"steps":"none"}'])(
    "has no scores in %j",
    (text) => {
      expect(parse(text)).toMatchObject({ kind: "unreadable" });
      expect(problemsOf(text)).toContainEqual({ kind: "no-scores" });
    },
  );

  it.each([
    ["true", "boolean"],
    ['"0.5"', "string"],
    ["null", "null"],
    ["{}", "object"],
    ["[1]", "array"],
    ["NaN", "not-finite"],
    ["Infinity", "not-finite"],
    ["-Infinity", "not-finite"],
    ["1e999", "not-finite"],
    ["1.01", "out-of-range"],
    ["-0.01", "out-of-range"],
    ["5", "out-of-range"],
  ] as const)("gives no score where one is %s", (bad, is) => {
    const read = parse(answer(step(0, bad), step(1)));
    expect(scoresOf(read)).toEqual([
      [0, { b: 1 }],
      [1, { a: 0.25, b: 1 }],
    ]);
    expect(read.problems).toEqual([{ kind: "bad-score", step: 0, rubric: "a", is }]);
  });

  it("is refused where a number is none in JSON", () => {
    for (const bad of ["0.", ".5", "01", "+1", "1_0", "0x1", "1e", "--1"]) {
      expect(scoresOf(parse(answer(step(0, bad), step(1))))).toBe("unreadable");
    }
  });

  it("gives no score where a rubric stands twice with different values", () => {
    const twice = '{"index":0,"rationale":"r","scores":{"a":1,"a":0,"b":0.5,"b":0.5}}';
    expect(parse(answer(twice), [0])).toMatchObject({
      steps: [{ scores: { b: 0.5 } }],
      problems: [{ kind: "bad-score", step: 0, rubric: "a", is: "duplicate" }],
    });
  });

  it("reports rubrics that are missing or unknown, and does not name the unknown", () => {
    const odd = '{"index":0,"rationale":"r","scores":{"a":1,"__proto__":1,"secret words":1}}';
    const read = parse(answer(odd), [0]);
    expect(scoresOf(read)).toEqual([[0, { a: 1 }]]);
    expect(read.problems).toEqual([
      { kind: "unknown-rubric", step: 0 },
      { kind: "missing-rubric", step: 0, rubric: "b" },
    ]);
    expect(read.problems.map(describeProblem).join()).not.toContain("secret");
  });

  it("reports steps that are missing, unknown or no steps at all", () => {
    expect(problemsOf(answer(step(7), step(1.5), step('"0"'), "3", step(1)))).toEqual([
      { kind: "unknown-step", step: 7 },
      { kind: "bad-step", position: 1 },
      { kind: "bad-step", position: 2 },
      { kind: "bad-step", position: 3 },
      { kind: "missing-step", step: 0 },
    ]);
    expect(scoresOf(parse(answer(step(7))))).toBe("unreadable");
  });

  it("drops a step that is scored twice differently, and keeps one that is scored twice alike", () => {
    expect(scoresOf(parse(answer(step(0), step(1), step(0, 1))))).toEqual([[1, { a: 0.25, b: 1 }]]);
    expect(problemsOf(answer(step(0), step(1), step(0, 1)))).toEqual([
      { kind: "duplicate-step", step: 0, same: false },
    ]);
    expect(scoresOf(parse(answer(step(0), step(1), step(0, 1), step(0))))).toEqual([[1, { a: 0.25, b: 1 }]]);
    expect(parse(answer(step(0), step(1), step(0)))).toMatchObject({
      steps: [{ index: 0 }, { index: 1 }],
      problems: [{ kind: "duplicate-step", step: 0, same: true }],
    });
  });

  it("reports what it does not say, and keeps a long reason short", () => {
    const bare = '{"steps":[{"index":0,"scores":{"a":1,"b":1}}]}';
    expect(parse(bare, [0])).toMatchObject({
      manipulation: null,
      steps: [{ rationale: "" }],
      problems: [{ kind: "no-rationale", step: 0 }, { kind: "no-manipulation" }],
    });
    const long = parse(answer(step(0, 1, 1, "x".repeat(5_000))), [0]);
    expect(long.kind === "scored" && long.steps[0]?.rationale).toHaveLength(600);
  });

  it("forgives trailing commas and line breaks in texts", () => {
    expect(
      scoresOf(parse('{"steps":[{"index":0,"rationale":"a\nb","scores":{"a":1,"b":0,},},],}', [0])),
    ).toEqual([[0, { a: 1, b: 0 }]]);
  });

  it("takes the form of one step where one was asked for, and nowhere else", () => {
    const single = '{"scores":{"a":0.5,"b":0},"rationale":"r","overall_score":0.9}';
    expect(parse(single, [4])).toMatchObject({
      steps: [{ index: 4, scores: { a: 0.5, b: 0 }, rationale: "r" }],
      problems: [{ kind: "no-manipulation" }],
    });
    expect(parse(single).kind).toBe("unreadable");
  });

  it("is what the model stopped for", () => {
    expect(parse(whole, [0, 1], "refusal")).toEqual({ kind: "refused", problems: [] });
    expect(parse(whole, [0, 1], "other")).toEqual({ kind: "stopped", problems: [] });
    expect(parse("I cannot", [0, 1], "length")).toEqual({ kind: "cut", problems: [{ kind: "no-json" }] });
  });
});

describe("an answer that was cut off", () => {
  const full = answer(step(0), step(1, 0, 0.5), step(2, 1, 1));

  it("keeps the steps that are whole, and no other, wherever it was cut", () => {
    const ends = [...full.matchAll(/\}\}/g)].map((match) => match.index + 2);
    for (let length = 0; length < full.length; length += 1) {
      const kept = ends.filter((end) => end <= length).length;
      const read = parse(full.slice(0, length), [0, 1, 2], "length");
      if (kept === 0) expect(read.kind).toBe("cut");
      else {
        expect(scoresOf(read)).toEqual(
          [
            [0, { a: 0.25, b: 1 }],
            [1, { a: 0, b: 0.5 }],
            [2, { a: 1, b: 1 }],
          ].slice(0, kept),
        );
        expect(read.problems).toContainEqual({ kind: "cut" });
      }
    }
  });

  it("is read so even where nobody said that it was cut", () => {
    expect(parse(full.slice(0, 80), [0, 1, 2])).toMatchObject({ kind: "scored", steps: [{ index: 0 }] });
    expect(parse(full.slice(0, 40), [0, 1, 2]).kind).toBe("cut");
  });
});

describe("the parser", () => {
  const stops: readonly StopReason[] = ["end", "length", "refusal", "other"];
  const token = fc.oneof(
    fc.constantFrom(
      ...[
        '{"steps":[',
        '{"index":0,',
        '"scores":{',
        '"a":',
        '"b":',
        "0.5",
        "1",
        "NaN",
        "0.",
        "true",
        '"',
        "\\",
      ],
      ...[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "}}",
        "```json\n",
        "\n",
        "null",
        '"rationale":"x"',
        '"manipulation":false',
      ],
    ),
    fc.string({ maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  const noise = fc.array(token, { maxLength: 60 }).map((parts) => parts.join(""));

  it("never throws, and gives only scores from 0 to 1, of rubrics and steps asked for", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          noise,
          fc.tuple(noise, noise).map(([before, after]) => `${before}${whole}${after}`),
        ),
        fc.constantFrom(...stops),
        fc.constantFrom([0], [0, 1], [3, 1, 2]),
        (text, stop, indices) => {
          const read = parse(text, indices, stop);
          if (read.kind !== "scored") return;
          for (const { index, scores } of read.steps) {
            expect(indices).toContain(index);
            for (const [id, score] of Object.entries(scores)) {
              expect(["a", "b"]).toContain(id);
              expect(score >= 0 && score <= 1).toBe(true);
              // Nothing is invented: the number stands in the text.
              expect(text).toMatch(new RegExp(`"${id}"\\s*:\\s*-?${String(score).replace(".", "\\.")}`));
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("gives back what a well-formed answer says", () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => (value === 0 ? 0 : value));
    const steps = fc.uniqueArray(
      fc.record({
        index: fc.integer({ min: 0, max: 50 }),
        rationale: fc.string({ maxLength: 100 }).map((text) => text.trim()),
        scores: fc.record({ a: score, b: score }),
      }),
      { minLength: 1, maxLength: 20, selector: ({ index }) => index },
    );
    fc.assert(
      fc.property(steps, fc.boolean(), noise, (given, manipulation, before) => {
        const indices = given.map(({ index }) => index);
        const text = JSON.stringify({ steps: given, manipulation });
        expect(parse(text, indices)).toEqual({ kind: "scored", steps: given, manipulation, problems: [] });
        // Prose before it may hide it or contradict it, but never changes it.
        const read = parse(`${before.replaceAll('"', "'")} ${text}`, indices);
        if (read.kind === "scored") expect(read.steps).toEqual(given);
      }),
      { numRuns: 100 },
    );
  });

  it("does not take long over braces and quotes without end", () => {
    for (const piece of ["{", '{"', '{"a":', '{"steps":[', '{"steps":[{"index":0},', '{"a":[[[[', '"\\']) {
      const started = performance.now();
      parse(piece.repeat(Math.floor(200_000 / piece.length)));
      expect(performance.now() - started).toBeLessThan(2_000);
    }
    for (const text of [`${whole}${" ".repeat(500_000)}x`, `${" ".repeat(500_000)}x${whole}`]) {
      const started = performance.now();
      expect(parse(text).problems).toEqual([{ kind: "text-around" }]);
      expect(performance.now() - started).toBeLessThan(2_000);
    }
    expect(parse("x".repeat(2_000_000))).toEqual({ kind: "unreadable", problems: [{ kind: "too-long" }] });
  });
});
