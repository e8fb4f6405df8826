import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesOf, eachOf } from "../../../shared/adapters/aws/batches.ts";

describe("batches", () => {
  it("hold all items in order, within the limits, and no fewer than fit", () => {
    const limits = { count: 10, bytes: 100 };
    fc.assert(
      fc.property(fc.array(fc.nat(130), { maxLength: 60 }), (sizes) => {
        const batches = batchesOf(sizes, limits, (size) => size);
        expect(batches.flat()).toEqual(sizes);
        const sum = (batch: readonly number[]): number => batch.reduce((a, b) => a + b, 0);
        for (const [index, batch] of batches.entries()) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(limits.count);
          if (batch.length > 1) expect(sum(batch)).toBeLessThanOrEqual(limits.bytes);
          const next = batches[index + 1]?.[0];
          if (next !== undefined) {
            expect(batch.length === limits.count || sum(batch) + next > limits.bytes).toBe(true);
          }
        }
      }),
    );
  });
});

describe("working on items side by side", () => {
  it("has at most so many under way, and does each once", async () => {
    let underWay = 0;
    let most = 0;
    const done: number[] = [];
    const items = Array.from({ length: 50 }, (_, index) => index);
    await eachOf(items, 4, async (item) => {
      underWay += 1;
      most = Math.max(most, underWay);
      for (let turn = 0; turn <= item % 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      done.push(item);
    });
    expect(most).toBe(4);
    expect(done.toSorted((a, b) => a - b)).toEqual(items);
  });

  it("takes nothing new after a failure, and reports it once all has ended", async () => {
    let ended = 0;
    let begun = 0;
    const work = eachOf([0, 1, 2, 3, 4, 5, 6, 7], 2, async (item) => {
      begun += 1;
      await new Promise((resolve) => setImmediate(resolve));
      ended += 1;
      if (item === 1) throw new Error("of item 1");
    });
    await expect(work).rejects.toThrow("of item 1");
    expect(ended).toBe(begun);
    expect(begun).toBeLessThan(8);
  });
});
