import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collected, firstOf, inGroups, mergedWalk } from "../../../shared/adapters/aws/walks.ts";

async function* walkOf<T>(items: readonly T[], onRead: () => void = () => undefined) {
  for (const item of items) {
    onRead();
    yield item;
  }
}

const before = (first: number, second: number) => first < second;
const sorted = fc.array(fc.nat({ max: 20 })).map((list) => list.toSorted((first, second) => first - second));

describe("walks over sorted shards", () => {
  it("give all items of all shards, sorted", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sorted, { maxLength: 6 }), async (shards) => {
        const merged = await collected(
          mergedWalk(
            shards.map((shard) => walkOf(shard)),
            before,
          ),
        );
        expect(merged).toEqual(shards.flat().toSorted((first, second) => first - second));
      }),
    );
  });

  it("read no more than is asked for, but one item of each shard", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sorted, { maxLength: 6 }), fc.nat({ max: 10 }), async (shards, limit) => {
        let reads = 0;
        const count = () => {
          reads += 1;
        };
        const walk = mergedWalk(
          shards.map((shard) => walkOf(shard, count)),
          before,
        );
        const all = shards.flat().length;
        expect(await collected(firstOf(walk, limit))).toHaveLength(Math.min(limit, all));
        expect(reads).toBeLessThanOrEqual(limit + shards.length);
      }),
    );
  });

  it("are cut into groups without losing or repeating anything", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat()), fc.integer({ min: 1, max: 7 }), async (items, size) => {
        const groups = await collected(inGroups(walkOf(items), size));
        expect(groups.flat()).toEqual(items);
        expect(groups.slice(0, -1).every((group) => group.length === size)).toBe(true);
      }),
    );
  });
});
