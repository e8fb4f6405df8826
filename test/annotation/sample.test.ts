import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allocation,
  type Sampled,
  type SampleRequest,
  strataNames,
  stratifiedSample,
} from "../../shared/annotation/sample.ts";
import { idOf } from "../factories/catalog-rows.ts";

function makeEntries(count: number, more: (index: number) => Partial<Sampled> = () => ({})): Sampled[] {
  return Array.from({ length: count }, (_, index) => ({
    id: idOf(`entry ${index}`),
    domain: "coding",
    success: true,
    reward: index / count,
    ...more(index),
  }));
}

function request(more: Partial<SampleRequest> = {}): SampleRequest {
  return { size: 10, seed: 1, strata: strataNames, uncertain: false, ...more };
}

const counted = (sample: ReturnType<typeof stratifiedSample>) =>
  Object.fromEntries(sample.strata.map(({ name, taken }) => [name, taken]));

describe("the sample that people label", () => {
  it("takes from each stratum in proportion, and from a small one at least one", () => {
    const entries = makeEntries(101, (index) => ({
      domain: index === 100 ? "crew" : index % 10 < 7 ? "coding" : "conversation",
    }));
    const sample = stratifiedSample(entries, request({ size: 20, strata: ["domain"] }));
    expect(counted(sample)).toEqual({ coding: 13, conversation: 6, crew: 1 });
  });

  it("tells verdicts and thirds of the reward apart, and those without a reward", () => {
    const entries = [...makeEntries(9), { id: idOf("none"), domain: "coding", success: null, reward: null }];
    const sample = stratifiedSample(entries, request({ strata: ["success", "score"] }));
    expect(sample.strata.map(({ name, of }) => [name, of])).toEqual([
      ["no verdict, no reward", 1],
      ["solved, high reward", 3],
      ["solved, low reward", 3],
      ["solved, middle reward", 3],
    ]);
  });

  it("puts equal rewards into one third", () => {
    const entries = makeEntries(30, () => ({ reward: 0.5 }));
    expect(stratifiedSample(entries, request({ strata: ["score"] })).strata).toEqual([
      { name: "middle reward", of: 30, taken: 10 },
    ]);
  });

  it("is the same for a seed and another for another seed", () => {
    const entries = makeEntries(200);
    const first = stratifiedSample(entries, request());
    expect(stratifiedSample([...entries].reverse(), request())).toEqual(first);
    expect(stratifiedSample(entries, request({ seed: 2 })).ids).not.toEqual(first.ids);
  });

  it("does not come in the order of the rewards", () => {
    const entries = makeEntries(90);
    const rewards = new Map(entries.map(({ id, reward }) => [id, reward ?? 0]));
    const { ids } = stratifiedSample(entries, request({ size: 60 }));
    const order = ids.map((id) => rewards.get(id) ?? 0);
    const firstHalf = order.slice(0, 30).reduce((sum, each) => sum + each, 0) / 30;
    expect(Math.abs(firstHalf - 0.5)).toBeLessThan(0.15);
  });

  it("prefers rewards near the middle where that is asked for", () => {
    const entries = [
      ...makeEntries(100),
      { id: idOf("none"), domain: "coding", success: true, reward: null },
    ];
    const rewards = new Map(entries.map(({ id, reward }) => [id, reward]));
    const { ids } = stratifiedSample(entries, request({ strata: ["domain"], uncertain: true }));
    for (const id of ids) expect(Math.abs((rewards.get(id) ?? 1) - 0.5)).toBeLessThanOrEqual(0.05);
  });

  it("is all there is where there is less than asked for, and nothing of nothing", () => {
    expect(stratifiedSample(makeEntries(4), request()).ids).toHaveLength(4);
    expect(stratifiedSample([], request())).toEqual({ ids: [], strata: [] });
  });

  it("holds no trajectory twice, fills its places and leaves no stratum out while there is room", () => {
    const entry = fc.record({
      domain: fc.constantFrom("a", "b", "c"),
      success: fc.constantFrom(true, false, null),
      reward: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
    });
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 80 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (facts, size, uncertain) => {
          const entries = facts.map((fact, index) => ({ ...fact, id: idOf(String(index)) }));
          const { ids, strata } = stratifiedSample(entries, request({ size, uncertain }));
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.length).toBe(Math.min(size, entries.length));
          expect(strata.reduce((sum, { of }) => sum + of, 0)).toBe(entries.length);
          expect(strata.reduce((sum, { taken }) => sum + taken, 0)).toBe(ids.length);
          if (size >= strata.length) for (const { taken } of strata) expect(taken).toBeGreaterThanOrEqual(1);
          for (const { of, taken } of strata) expect(taken).toBeLessThanOrEqual(of);
        },
      ),
    );
  });

  it("gives a stratum that is large enough its share, to within one place and what the least ones cost", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 8, max: 400 }), (of, size) => {
        const total = of.reduce((sum, each) => sum + each, 0);
        const wanted = Math.min(size, total);
        for (const [index, taken] of allocation(of, size).entries()) {
          const share = ((of[index] ?? 0) * wanted) / total;
          expect(taken - share).toBeLessThanOrEqual(1);
          expect(share - taken).toBeLessThanOrEqual(of.length);
        }
      }),
    );
  });
});
