import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { signalCodes } from "../../../shared/reward/signals/signal.ts";
import {
  combineSignals,
  defaultSignalWeights,
  signalsConfigSchema,
} from "../../../shared/reward/signals/trajectory-signals.ts";
import type { FactStep } from "../../../shared/reward/trajectory-facts.ts";
import { stepsWith } from "../factories.ts";
import { bash, edit, saying, signalsOf, submit } from "./factories.ts";

const anyCall = fc.record({
  tool: fc.constantFrom("bash", "edit", "str_replace_editor", "open", "submit", "book_flight", "scroll_down"),
  params: fc.record(
    {
      command: fc.constantFrom(
        "pytest",
        "rm -rf x*",
        "cat > repro.py <<'E'\nx\nE",
        "str_replace",
        "sed -i s/a/b/ x",
      ),
      path: fc.string(),
      new_str: fc.string(),
    },
    { requiredKeys: [] },
  ),
  output: fc.oneof(
    fc.string(),
    fc.constantFrom("Error: no", "3 passed", "diff --git a/x b/x", "[File: a (1 lines)]"),
  ),
  exitCode: fc.option(fc.integer({ min: 0, max: 127 })),
});
const anySteps: fc.Arbitrary<FactStep[]> = fc.array(
  fc.record({
    calls: fc.array(anyCall, { maxLength: 3 }),
    thought: fc.string(),
    message: fc.string(),
    replies: fc.array(fc.constantFrom("ok", "not valid", "please try again"), { maxLength: 2 }),
  }),
  { maxLength: 20 },
);
const anyDomain = fc.constantFrom("coding", "conversation", "generic", "browser");

describe("signals of any trajectory", () => {
  it("are one of each, in their order, with scores within [0, 1] and a message where they apply", () => {
    fc.assert(
      fc.property(anySteps, anyDomain, (steps, domain) => {
        const signals = signalsOf(steps, { domain });
        expect(signals.map(({ code }) => code)).toEqual(signalCodes);
        for (const { score, message } of signals) {
          if (score === null) expect(message).toBe("");
          else {
            expect(score).toBeGreaterThanOrEqual(0);
            expect(score).toBeLessThanOrEqual(1);
            expect(message).not.toBe("");
          }
        }
        const combined = combineSignals(signals);
        if (combined !== null) {
          expect(combined).toBeGreaterThanOrEqual(0);
          expect(combined).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("never quote the log: whatever stands in it, messages are made of the same words and of numbers", () => {
    const marked = (mark: string): readonly string[] =>
      signalsOf([
        saying(`${mark} thought`, bash(`cat > ${mark}_repro.py <<'E'\n${mark}\nE`, `${mark}: error`, 1)),
        { ...saying(`${mark}`, edit(`/${mark}.py`)), replies: [`not valid ${mark}`] },
      ]).map(({ message }) => message);
    expect(marked("secretword").join("\n")).not.toContain("secretword");
    expect(marked("secretword")).toEqual(marked("otherwords"));
  });

  it("do not depend on text that says nothing: outputs of readers, names of files, words of the same length", () => {
    const run = (word: string): readonly unknown[] =>
      signalsOf([
        saying(word, bash("cat core.py", `class ${word}: pass`)),
        saying(word, edit(`/src/${word}.py`)),
        saying(word, submit),
      ]);
    expect(run("alpha")).toEqual(run("omega"));
  });

  it("are the same every time", () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        expect(signalsOf(steps)).toEqual(signalsOf(steps));
      }),
    );
  });

  it("read each call a fixed number of times, however long the run is", () => {
    const reads = (n: number): number => {
      let count = 0;
      const counted = Array.from({ length: n }, (_, i) => ({
        tool: "bash",
        output: "done",
        exitCode: 0,
        params: {
          get command(): string {
            count++;
            return `python run${i % 7}.py`;
          },
        },
      }));
      signalsOf(stepsWith(...counted));
      return count;
    };
    expect(reads(400) - reads(200)).toBe(2 * (reads(200) - reads(100)));
    expect(reads(400)).toBeLessThan(400 * 40);
  });
});

describe("configuration", () => {
  it("switches signals off and weighs them anew", () => {
    const config = signalsConfigSchema.parse({ off: ["verbosity"], weights: { efficiency: 5, thrash: 0 } });
    const weights = Object.fromEntries(signalsOf([], { config }).map(({ code, weight }) => [code, weight]));
    expect(weights).toEqual({ ...defaultSignalWeights, verbosity: 0, efficiency: 5, thrash: 0 });
  });

  it("takes no signal that does not exist and no negative weight", () => {
    expect(signalsConfigSchema.safeParse({ off: ["beauty"] }).success).toBe(false);
    expect(signalsConfigSchema.safeParse({ weights: { beauty: 1 } }).success).toBe(false);
    expect(signalsConfigSchema.safeParse({ weights: { thrash: -1 } }).success).toBe(false);
    expect(signalsConfigSchema.parse({})).toEqual({ off: [], weights: {} });
  });
});

describe("the combined score", () => {
  const signal = (score: number | null, weight: number) => ({
    code: "thrash" as const,
    score,
    weight,
    message: "",
  });

  it("is the weighted mean over what applies", () => {
    expect(combineSignals([signal(1, 1), signal(0, 3), signal(null, 9)])).toBe(0.25);
  });

  it("is null where nothing applies or weighs", () => {
    expect(combineSignals([signal(null, 1), signal(1, 0)])).toBeNull();
    expect(combineSignals([])).toBeNull();
  });
});
