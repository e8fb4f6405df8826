import { setImmediate } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder } from "../../shared/stages/in-order.ts";

async function collected<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("inOrder", () => {
  it("gives the results in the order of the items, never more under way than there is room for", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(5), { maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        async (turns, width) => {
          let [underWay, most] = [0, 0];
          const work = async (wait: number): Promise<number> => {
            underWay += 1;
            most = Math.max(most, underWay);
            for (let turn = 0; turn < wait; turn += 1) await setImmediate();
            underWay -= 1;
            return wait * 2;
          };
          const results = await collected(inOrder(turns, { width, work }));
          expect(results).toEqual(turns.map((of) => ({ of, result: of * 2 })));
          expect(most).toBeLessThanOrEqual(width);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("takes no more items than there is room for, and leaves nothing running where one fails", async () => {
    let [taken, ended] = [0, 0];
    function* items() {
      for (let item = 0; item < 100; item += 1) {
        taken += 1;
        yield item;
      }
    }
    const work = async (item: number): Promise<number> => {
      for (let turn = 0; turn < item % 4; turn += 1) await setImmediate();
      ended += 1;
      if (item === 10) throw new Error("ten");
      return item;
    };
    const given: number[] = [];
    const all = async () => {
      for await (const { result } of inOrder(items(), { width: 4, work })) given.push(result);
    };
    await expect(all()).rejects.toThrow("ten");
    expect(given).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(taken).toBeLessThanOrEqual(14);
    expect(ended).toBe(taken);
  });
});
