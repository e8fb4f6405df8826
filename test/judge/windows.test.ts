import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseSteps, evenIndices } from "../../shared/judge/choose-steps.ts";
import { packWindows } from "../../shared/judge/windows.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";

type Sample = GoldenCase<{ readonly total: number; readonly max: number }, readonly number[]>;
const samples = golden<Sample>("judge.json").filter(({ name }) => name.startsWith("sample_"));

/** Largest and smallest distance between neighbours. */
function gaps(indices: readonly number[]): readonly [least: number, most: number] {
  const distances = indices.slice(1).map((index, i) => index - (indices[i] ?? 0));
  return [Math.min(...distances), Math.max(...distances)];
}

describe("steps spread evenly", () => {
  it("start with the first, end with the last, ascend, and lie as far apart as each other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3_000 }), fc.integer({ min: 2, max: 400 }), (total, count) => {
        const indices = evenIndices(total, count);
        expect(indices).toHaveLength(Math.min(total, count));
        expect([indices[0], indices.at(-1)]).toEqual([0, total - 1]);
        const [least, most] = gaps(indices);
        expect(least).toBeGreaterThanOrEqual(1);
        expect(most - least).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("are all steps where there are few enough, and where no limit is set", () => {
    expect(chooseSteps(3, 3)).toEqual({ choice: "all", indices: [0, 1, 2] });
    expect(chooseSteps(3, null).choice).toBe("all");
    expect(chooseSteps(4, 3)).toEqual({ choice: "even", indices: [0, 2, 3] });
    expect(chooseSteps(0, 3)).toEqual({ choice: "all", indices: [] });
    expect(evenIndices(5, 1)).toEqual([4]);
  });

  describe.skipIf(!hasGolden)(`against knowlyr-gym${whyGolden}`, () => {
    it.each(samples.filter(({ reference_defect }) => reference_defect === undefined))(
      "$name is the same",
      ({ input, expected }) => {
        expect(chooseSteps(input.total, input.max).indices).toEqual(expected);
      },
    );

    it.each(samples.filter(({ reference_defect }) => reference_defect !== undefined))(
      "$name is even, unlike the reference's",
      ({ input, expected }) => {
        const { choice, indices } = chooseSteps(input.total, input.max);
        expect(choice).toBe("even");
        expect(indices).toHaveLength(expected.length);
        const [least, most] = gaps(indices);
        expect(most - least).toBeLessThanOrEqual(1);
        expect([indices[0], indices.at(-1)]).toEqual([expected[0], expected.at(-1)]);
      },
    );
  });
});

describe("windows", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 });
  const limits = fc.record({
    maxSteps: fc.integer({ min: 1, max: 40 }),
    maxCharacters: fc.integer({ min: 1, max: 10_000 }),
  });

  it("hold every step exactly once, in order, within the limits, and are as few as can be", () => {
    fc.assert(
      fc.property(sizes, limits, (items, { maxSteps, maxCharacters }) => {
        const windows = packWindows(items, { maxSteps, maxCharacters });
        expect(windows.flat()).toEqual([...items.keys()]);
        for (const window of windows) {
          expect(window.length).toBeGreaterThan(0);
          expect(window.length).toBeLessThanOrEqual(maxSteps);
          const characters = window.reduce((sum, item) => sum + (items[item] ?? 0), 0);
          if (window.length > 1) expect(characters).toBeLessThanOrEqual(maxCharacters);
        }
        expect(windows.length).toBe(fewest(items, { maxSteps, maxCharacters }));
      }),
    );
  });

  it("are of even lengths where only the number of steps limits them", () => {
    const windows = packWindows(Array(31).fill(10), { maxSteps: 30, maxCharacters: 24_000 });
    expect(windows.map((window) => window.length)).toEqual([16, 15]);
  });

  it("give a step that is too long one of its own", () => {
    expect(packWindows([10, 99, 10], { maxSteps: 30, maxCharacters: 50 })).toEqual([[0], [1], [2]]);
  });
});

/** The least number of windows, by trying all places of the last window's start. */
function fewest(
  items: readonly number[],
  limits: { readonly maxSteps: number; readonly maxCharacters: number },
): number {
  const best: number[] = [0];
  for (let end = 1; end <= items.length; end += 1) {
    let characters = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let start = end - 1; start >= 0 && end - start <= limits.maxSteps; start -= 1) {
      characters += items[start] ?? 0;
      if (end - start > 1 && characters > limits.maxCharacters) break;
      least = Math.min(least, (best[start] ?? 0) + 1);
    }
    best.push(least);
  }
  return best[items.length] ?? 0;
}
