import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  distributionOf,
  lengthEdges,
  shareEdges,
  Values,
} from "../../../shared/dataset/quality/distribution.ts";
import { PromptLeaks } from "../../../shared/dataset/quality/prompt-leaks.ts";
import { promptSketch } from "../../../shared/dataset/quality/prompt-sketch.ts";
import { SplitTable } from "../../../shared/dataset/quality/split-table.ts";
import { quantileOf } from "../../../shared/statistics/quantile.ts";

describe("a table of splits", () => {
  it("answers as a map of first splits would, however many keys there are", () => {
    const key = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 5000 }).map(String));
    const notes = fc.array(fc.tuple(key, fc.integer({ min: 1, max: 3 })), { maxLength: 3000 });
    fc.assert(
      fc.property(notes, (list) => {
        const table = new SplitTable();
        const first = new Map<string, { readonly split: number; readonly row: number }>();
        for (const [row, [name, split]] of list.entries()) {
          const known = first.get(name);
          const expected = known === undefined || known.split === split ? undefined : known;
          expect(table.note(name, { split, row })).toEqual(expected);
          if (known === undefined) first.set(name, { split, row });
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("a distribution", () => {
  const parts = fc.array(fc.array(fc.nat({ max: 100_000 }), { maxLength: 400 }), {
    minLength: 1,
    maxLength: 3,
  });

  it("puts each value into one bin, and has the quantiles of all parts together", () => {
    fc.assert(
      fc.property(parts, (lists) => {
        const values = lists.map((list) => {
          const own = new Values();
          for (const value of list) own.add(value);
          return own;
        });
        const all = lists.flat();
        const found = distributionOf(values, lengthEdges);
        if (found === null) {
          expect(all).toEqual([]);
          return;
        }
        const { edges, counts } = found.histogram;
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length);
        expect(counts).toEqual(
          counts.map(
            (_, bin) =>
              all.filter((value) => value >= (edges[bin] ?? 0) && value < (edges[bin + 1] ?? 0)).length,
          ),
        );
        expect(found.median).toBeCloseTo(quantileOf(all, 0.5) ?? Number.NaN, 3);
        expect([found.min, found.max, found.n]).toEqual([Math.min(...all), Math.max(...all), all.length]);
      }),
      { numRuns: 50 },
    );
  });

  it("has bins for lengths that grow, and just enough of them", () => {
    expect(lengthEdges(0)).toEqual([0, 1]);
    expect(lengthEdges(10)).toEqual([0, 1, 2, 3, 4, 6, 8, 12]);
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000 }), (greatest) => {
        const edges = lengthEdges(greatest);
        expect(edges.at(-1)).toBeGreaterThan(greatest);
        expect(edges.at(-2)).toBeLessThanOrEqual(greatest);
        expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
      }),
    );
    expect(shareEdges()).toHaveLength(21);
  });

  it("puts a reward of 1 into the last bin", () => {
    const values = new Values();
    values.add(1);
    expect(distributionOf([values], shareEdges)?.histogram.counts.at(-1)).toBe(1);
  });
});

describe("leaks of prompts", () => {
  const text = (seed: number, length = 80): string[] =>
    Array.from({ length }, (_, index) => `w${(seed * 7919 + index * 104729) % 99_991}`);

  it("are found where the Jaccard index of word runs is above the threshold, and not far below it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 79 }), (seed, at) => {
        const words = text(seed, 400);
        const near = words.with(at, "changed");
        const far = words.map((word, index) => (index % 12 === 0 ? `${word}x` : word));
        const leaks = (other: readonly string[]): number => {
          const found = new PromptLeaks();
          for (const [split, list] of [words, other].entries()) {
            const sketch = promptSketch([list.join(" ")]);
            if (sketch !== undefined) found.add(sketch, { split: split + 1, row: 1, id: null });
          }
          return found.finish(0.9).places.length;
        };
        // 398 runs, of which three differ: 395 / 401.
        expect(leaks(near)).toBe(1);
        // Three in twelve runs differ on each side: about 0.6.
        expect(leaks(far)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it("are looked for among as many prompts as may be held; beyond, equal ones are found still", () => {
    const leaks = new PromptLeaks(10);
    const sketches = Array.from({ length: 30 }, (_, seed) => promptSketch([text(seed).join(" ")]));
    for (const split of [1, 2]) {
      for (const [row, sketch] of sketches.entries())
        if (sketch !== undefined) leaks.add(sketch, { split, row: row + 1, id: null });
    }
    const { places, left } = leaks.finish(0.9);
    expect(places).toHaveLength(30);
    expect(left).toBe(50);
  });

  it("are none where a prompt has no word", () => {
    expect(promptSketch(["  ", "?!"])).toBeUndefined();
  });
});
