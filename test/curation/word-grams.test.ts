import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashText } from "../../shared/curation/hash.ts";
import { wordsOf } from "../../shared/curation/word-grams.ts";

/** The words of a text, by their hashes. */
function hashesOf(words: readonly string[]): ReturnType<typeof wordsOf> {
  return {
    first: Uint32Array.from(words, (word) => hashText(word, 1)),
    second: Uint32Array.from(words, (word) => hashText(word, 2)),
  };
}

describe("wordsOf", () => {
  it("takes the same words from ASCII as from a text with other characters around it", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "Z", "m", "0", "9", "_", "-", " ", "\n", "\0", "~"),
    });
    fc.assert(
      fc.property(text, (ascii) => {
        const words = ascii.toLowerCase().match(/[a-z0-9]+/g) ?? [];
        expect(wordsOf(ascii)).toEqual(hashesOf(words));
        expect(wordsOf(`${ascii}…`)).toEqual(hashesOf(words));
      }),
    );
  });

  it("parts letters of any script at blanks and punctuation, Han characters everywhere", () => {
    expect(wordsOf("Über_3 straße: ﬁn 中文")).toEqual(hashesOf(["über", "3", "straße", "fin", "中", "文"]));
  });
});
