import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compactLetters } from "../../shared/evaluation/letters.ts";

describe("the compact letter display", () => {
  it("gives two agents a common letter exactly if they do not differ, whatever differs", () => {
    const relation = fc.integer({ min: 1, max: 7 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        differing: fc.array(fc.boolean(), { minLength: count * count, maxLength: count * count }),
      }),
    );
    fc.assert(
      fc.property(relation, ({ count, differing }) => {
        const differ = (a: number, b: number) =>
          differing[Math.min(a, b) * count + Math.max(a, b)] === true && a !== b;
        const letters = compactLetters(count, differ);
        for (let a = 0; a < count; a += 1) {
          expect(letters[a]).not.toBe("");
          for (let b = a + 1; b < count; b += 1) {
            const shared = [...(letters[a] ?? "")].some((letter) => letters[b]?.includes(letter));
            expect(shared).toBe(!differ(a, b));
          }
        }
      }),
    );
  });

  it("gives the best the first letter", () => {
    expect(compactLetters(3, (a, b) => Math.abs(a - b) === 2)).toEqual(["a", "ab", "b"]);
    expect(compactLetters(3, () => true)).toEqual(["a", "b", "c"]);
    expect(compactLetters(3, () => false)).toEqual(["a", "a", "a"]);
  });
});
