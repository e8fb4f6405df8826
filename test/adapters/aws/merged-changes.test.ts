import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergedChanges } from "../../../shared/adapters/aws/merged-changes.ts";
import { MOST_WRITES, type Write } from "../../../shared/adapters/aws/writes.ts";

const write = fc.oneof(
  fc.record({
    kind: fc.constant("put" as const),
    item: fc.record({ pk: fc.constantFrom("a", "b"), sk: fc.integer({ min: 0, max: 200 }).map(String) }),
  }),
  fc.record({
    kind: fc.constant("delete" as const),
    key: fc.record({ pk: fc.constantFrom("a", "b"), sk: fc.integer({ min: 0, max: 200 }).map(String) }),
  }),
  fc.record({
    kind: fc.constant("count" as const),
    project: fc.constantFrom("", "one", "two"),
    shard: fc.nat(31),
    more: fc.constant(1),
  }),
);
const itemOf = (each: Write): string =>
  each.kind === "put"
    ? `${each.item.pk} ${each.item.sk}`
    : each.kind === "count"
      ? `count ${each.project} ${each.shard}`
      : `${each.key.pk} ${each.key.sk}`;
/** What one transaction may be: no item twice. */
const change = fc
  .uniqueArray(write, { selector: itemOf, minLength: 1, maxLength: 40 })
  .map((writes): readonly Write[] => writes);

const total = (writes: readonly Write[], project: string): number =>
  writes.reduce((sum, each) => sum + (each.kind === "count" && each.project === project ? each.more : 0), 0);

describe("changes that are made together", () => {
  it("fit into a transaction, touch no item twice, and lose and add nothing", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 15 }), (lists) => {
        const merged = mergedChanges(lists);
        expect(merged.flatMap(({ members }) => members).toSorted(byPlace(lists))).toEqual(lists);
        for (const { members, writes } of merged) {
          expect(writes.length).toBeLessThanOrEqual(MOST_WRITES);
          expect(new Set(writes.map(itemOf)).size).toBe(writes.length);
          const given = members.flat();
          const others = (list: readonly Write[]) => list.filter(({ kind }) => kind !== "count");
          expect(others(writes)).toEqual(others(given));
          for (const project of ["", "one", "two"])
            expect(total(writes, project)).toBe(total(given, project));
        }
      }),
    );
  });

  it("take one transaction where they have nothing in common, and count in one shard", () => {
    const lists = Array.from({ length: 10 }, (_, index): readonly Write[] => [
      { kind: "put", item: { pk: "a", sk: `${index}` } },
      { kind: "count", project: "", shard: index, more: 1 },
    ]);
    const [only, ...more] = mergedChanges(lists);
    expect(more).toEqual([]);
    expect(only?.writes.filter(({ kind }) => kind === "count")).toEqual([
      { kind: "count", project: "", shard: 0, more: 10 },
    ]);
  });
});

function byPlace(lists: readonly (readonly Write[])[]) {
  return (first: readonly Write[], second: readonly Write[]): number =>
    lists.indexOf(first) - lists.indexOf(second);
}
