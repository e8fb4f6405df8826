import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planEpisodes } from "../../shared/collect/plan-episodes.ts";
import { ShardError, shardEpisodes, shardOf } from "../../shared/rollout/shard-episodes.ts";

describe("shards of a rollout", () => {
  it("have each episode once, and as many of them as the others, give or take one", () => {
    fc.assert(
      fc.property(
        fc.record({
          tasks: fc.integer({ min: 1, max: 30 }),
          attempts: fc.integer({ min: 1, max: 8 }),
          shards: fc.integer({ min: 1, max: 20 }),
        }),
        ({ tasks, attempts, shards }) => {
          const all = planEpisodes(
            Array.from({ length: tasks }, (_, index) => ({ id: `t${index}` })),
            { attempts, seed: 1 },
          );
          const parts = Array.from({ length: shards }, (_, shard) => shardEpisodes(all, { shard, shards }));
          const ids = parts.flat().map(({ id }) => id);
          expect(ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
          const sizes = parts.map(({ length }) => length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("are told by Batch's index, or need none where there is one", () => {
    expect(shardOf(undefined, 1)).toBe(0);
    expect(shardOf("0", 1)).toBe(0);
    expect(shardOf("6", 7)).toBe(6);
    for (const index of [undefined, "7", "", "x", "-1", "1.5"]) {
      expect(() => shardOf(index, 7)).toThrow(ShardError);
    }
  });
});
