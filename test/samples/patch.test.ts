import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patchBetween } from "./patch.ts";

const text = fc
  .array(fc.constantFrom("a", "b", "", "let x = 1;", "}"), { maxLength: 12 })
  .map((lines) => lines.map((line) => `${line}\n`).join(""));

/** Applies a one-file, one-hunk patch by its line numbers and signs alone. */
function applied(before: string, patch: string): string {
  const lines = before.split("\n").slice(0, -1);
  const rows = patch.split("\n").slice(0, -1);
  const at = rows.findIndex((row) => row.startsWith("@@"));
  const [, from = "", count = ""] = /^@@ -(\d+),(\d+) /.exec(rows[at] ?? "") ?? [];
  const start = count === "0" ? Number(from) : Number(from) - 1;
  const hunk = rows.slice(at + 1);
  expect(lines.slice(start, start + Number(count))).toEqual(
    hunk.filter((row) => !row.startsWith("+")).map((row) => row.slice(1)),
  );
  const now = hunk.filter((row) => !row.startsWith("-")).map((row) => row.slice(1));
  return lines
    .toSpliced(start, Number(count), ...now)
    .map((line) => `${line}\n`)
    .join("");
}

describe("patchBetween", () => {
  it("gives a patch that turns the old text into the new one", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        expect(applied(before, patchBetween({ "a.js": before }, { "a.js": after }))).toBe(after);
      }),
    );
  });

  it("names a new file as one that was not there before", () => {
    const patch = patchBetween({ "old.txt": "same\n" }, { "new.txt": "one\n", "old.txt": "same\n" });
    expect(patch).toBe(
      "diff --git a/new.txt b/new.txt\nnew file mode 100644\n--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,1 @@\n+one\n",
    );
  });

  it("is empty where nothing changed", () => {
    expect(patchBetween({ "a.js": "x\n" }, { "a.js": "x\n" })).toBe("");
  });
});
