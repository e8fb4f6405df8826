import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type TokenRule, TokenScanner, tokensOf } from "../../shared/reward/info-tokens.ts";
import { queryTokens } from "../../shared/reward/token-index.ts";
import { call, infoUseOf, stepsWith } from "./factories.ts";

/** The definition, word for word: quadratic, and therefore only for comparison. */
function naively({ outputs, queries, rule }: Parameters<typeof queryTokens>[0]): readonly (boolean | null)[] {
  return queries.map((query) => {
    const known = outputs.filter((each) => each.step < query.step);
    const tokens = known.flatMap((each) => tokensOf(each.output, rule).map((token) => token.toLowerCase()));
    if (tokens.length === 0) return null;
    const text = query.text.toLowerCase();
    return tokens.some((token) => text.includes(token));
  });
}

// Few characters make matches, overlaps and near misses likely.
const piece = fc.constantFrom(
  "a",
  "B",
  "/",
  "_",
  ".",
  "9",
  " ",
  "\n",
  "é",
  "Σ",
  "İ",
  "漢",
  "\u3000",
  "(",
  ":",
  "\ud83d",
);
const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
const words = fc.array(
  fc.constantFrom("a/b", "/src/x.py", "load_all", "LOAD_ALL", "ab", "/src/", "x.py:1:"),
  {
    maxLength: 8,
  },
);
const anyText = fc.oneof(
  text,
  words.map((parts) => parts.join(" ")),
  words.map((parts) => parts.join("")),
);

describe("tokens", () => {
  it("are found inside grep lines, calls and quotes by the mended rule", () => {
    expect(tokensOf("src/a.py:12:def load_all(x):  # see 'docs/b.md'.", "mended")).toEqual([
      "src/a.py",
      "load_all",
      "docs/b.md",
    ]);
  });

  it("that occur anywhere are none to the mended rule", () => {
    expect(tokensOf("/ // a/b x_y ---/--- ____ ../..", "mended")).toEqual([]);
    expect(tokensOf("(//) ../..", "compatible")).toEqual(["//", "/"]);
  });

  it("are the words with a slash or an underscore, wherever in the text they stand", () => {
    const blank = /[\t\n\v\f\r\x1c-\x1f \u3000()[\]{}<>"'`,;:=|*&!?#$%@+^~\\]/;
    const plainly = (given: string): readonly string[] =>
      given
        .split(blank)
        .filter((word) => /[/_]/.test(word) && [...word].length > 3)
        .map((word) => word.replace(/^[.-]+/, "").replace(/[.-]+$/, ""))
        .filter((word) => word.length > 3 && /[\p{L}\p{N}]/u.test(word));
    const filler = fc.nat({ max: 9 }).map((count) => "x".repeat(count));
    const long = fc.array(fc.oneof(piece, filler, anyText), { maxLength: 60 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(long, { minLength: 1, maxLength: 4 }), (texts) => {
        const found: string[] = [];
        // One scanner for all: what a longer text left behind must not show.
        let now = "";
        const scanner = new TokenScanner("mended", (start, end) => found.push(now.slice(start, end)));
        for (now of texts) scanner.scan(now);
        expect(found).toEqual(texts.flatMap(plainly));
      }),
      { numRuns: 500 },
    );
  });

  it.for(["mended", "compatible"] as const)(
    "match exactly as the naive definition says (%s)",
    (rule: TokenRule) => {
      const step = fc.nat({ max: 6 });
      const outputs = fc.array(fc.record({ step, output: anyText }), { maxLength: 6 });
      const queries = fc.array(fc.record({ step, text: anyText }), { maxLength: 6 });
      fc.assert(
        fc.property(outputs, queries, (some, asked) => {
          const request = {
            outputs: some.toSorted((a, b) => a.step - b.step),
            queries: asked.toSorted((a, b) => a.step - b.step),
            rule,
          };
          expect(queryTokens(request)).toEqual(naively(request));
        }),
        { numRuns: 500 },
      );
    },
  );

  it("match exactly when many of them share their beginnings and ends", () => {
    const name = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 30 })).map(([a, b]) => `/src/mod_${a}/f${b}.py`);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 40 }), fc.array(name, { maxLength: 10 }), (found, used) => {
        const request = {
          outputs: found.map((output, step) => ({ step, output: `see ${output}, ok` })),
          queries: used.map((each, step) => ({ step: step * 3, text: `cat '${each}'` })),
          rule: "mended" as const,
        };
        expect(queryTokens(request)).toEqual(naively(request));
      }),
    );
  });
});

describe("use of information", () => {
  const found = call("read_file", { file_path: "/a.py" }, "imports src/util.py and calls load_config(path)");
  const edit = (path: string, text: string) =>
    call("Edit", { file_path: path, old_string: "q", new_string: text });

  it("costs an action that takes up nothing of what was found", () => {
    expect(infoUseOf(stepsWith(found, edit("/z.py", "nothing")))).toEqual([null, 0.7]);
    expect(infoUseOf(stepsWith(found, edit("/z.py", "LOAD_CONFIG(1)")))).toEqual([null, 1]);
    expect(infoUseOf(stepsWith(found, call("bash", { command: "python src/util.py" })))).toEqual([null, 1]);
  });

  it("counts working on a file that was read before as use", () => {
    expect(infoUseOf(stepsWith(found, edit("/a.py", "nothing")))).toEqual([null, 1]);
  });

  it("does not score what gathers, tests, thinks or submits, nor the first finding", () => {
    const others = ["ls -la", "pytest -q", "git diff"].map((command) => call("bash", { command }));
    const steps = stepsWith(found, ...others, call("think", { thought: "x" }), call("submit"));
    expect(infoUseOf(steps)).toEqual([null, null, null, null, null, null]);
    expect(infoUseOf(stepsWith(edit("/z.py", "x"), edit("/y.py", "x")))).toEqual([null, null]);
  });

  it("does not let a call use the output of its own step", () => {
    expect(infoUseOf([{ calls: [found, edit("src/util.py", "x")] }])).toEqual([null, null]);
  });
});
