import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MixCaps, type Mixed, mix, mixSchema } from "../../shared/curation/mix.ts";

const row = fc.record({
  taskKey: fc.constantFrom("t1", "t2", "t3", "t4"),
  domain: fc.constantFrom("coding", "coding", "coding", "browser", "advisory"),
  agentSteps: fc.integer({ min: 1, max: 9 }),
});
const rows = fc
  .array(row, { maxLength: 60 })
  .map((list) => list.map((each, id) => ({ id: String(id), ...each })));
const caps = fc.record(
  {
    perTask: fc.integer({ min: 1, max: 20 }),
    limit: fc.integer({ min: 1, max: 40 }),
    maxDomainShare: fc.constantFrom(0.2, 0.34, 0.5, 0.6, 1),
    tokenBudget: fc.integer({ min: 1, max: 400 }),
    order: fc.constantFrom("best", "easy-first", "short-first"),
  },
  { requiredKeys: [] },
);
const tokens = (id: string): number => (Number(id) % 7) + 1;
const difficulties = new Map([
  ["t1", 0.9],
  ["t2", 0],
  ["t3", 0.4],
]);

function mixed(list: readonly Mixed[], wanted: MixCaps) {
  const reasons: string[] = [];
  const taken = mix(list, {
    caps: wanted,
    facts: { tokens, difficulty: (task) => difficulties.get(task) ?? null },
    leftOut: (reason) => reasons.push(reason),
  });
  return { taken, reasons };
}

function counts(list: readonly Mixed[], by: "domain" | "taskKey"): readonly number[] {
  return [...Map.groupBy(list, (each) => each[by]).values()].map((group) => group.length);
}

function domains(list: string): readonly Mixed[] {
  return [...list].map((domain, id) => ({ id: String(id), taskKey: `t${id}`, domain, agentSteps: 1 }));
}

describe("mix", () => {
  it("keeps every cap and tells of each row that it leaves out", () => {
    fc.assert(
      fc.property(rows, caps, (list, wanted) => {
        const { taken, reasons } = mixed(list, wanted);
        expect(taken.length + reasons.length).toBe(list.length);
        expect(new Set(taken.map(({ id }) => id)).size).toBe(taken.length);
        expect(taken.length).toBeLessThanOrEqual(wanted.limit ?? list.length);
        for (const count of counts(taken, "taskKey")) expect(count).toBeLessThanOrEqual(wanted.perTask ?? 60);
        const sum = taken.reduce((all, { id }) => all + tokens(id), 0);
        expect(sum).toBeLessThanOrEqual(wanted.tokenBudget ?? Number.POSITIVE_INFINITY);
        if (wanted.tokenBudget !== undefined) return;
        const share = wanted.maxDomainShare ?? 1;
        for (const count of counts(taken, "domain"))
          expect(count).toBeLessThanOrEqual(share * taken.length + 1e-9);
      }),
    );
  });

  it("takes as many rows as the shares allow, the best of each domain", () => {
    const ids = (list: string, maxDomainShare: number, limit?: number) =>
      mixed(domains(list), { maxDomainShare, limit }).taken.map(({ id }) => Number(id));
    expect(ids("aaaaab", 0.5)).toEqual([0, 5]);
    expect(ids("aaaaabbc", 0.5)).toEqual([0, 1, 2, 5, 6, 7]);
    expect(ids("aaaaabbc", 0.5, 4)).toEqual([0, 1, 5, 6]);
    expect(ids("abab", 0.5)).toEqual([0, 1, 2, 3]);
    expect(mixed(domains("aaaa"), { maxDomainShare: 0.5 })).toEqual({
      taken: [],
      reasons: Array.from({ length: 4 }, () => "enough of its domain"),
    });
  });

  it("orders by difficulty or length, and leaves equals as they came", () => {
    fc.assert(
      fc.property(rows, (list) => {
        const easy = mixed(list, { order: "easy-first" }).taken.map(({ taskKey }) => taskKey);
        expect(easy).toEqual(
          ["t2", "t3", "t1", "t4"].flatMap((task) => easy.filter((each) => each === task)),
        );
        const short = mixed(list, { order: "short-first" }).taken;
        for (const [index, { agentSteps, id }] of short.entries()) {
          const before = short[index - 1];
          if (before === undefined) continue;
          expect(before.agentSteps).toBeLessThanOrEqual(agentSteps);
          if (before.agentSteps === agentSteps) expect(Number(before.id)).toBeLessThan(Number(id));
        }
      }),
    );
  });

  it("refuses shares and budgets that make no sense", () => {
    for (const wrong of [
      { maxDomainShare: 0 },
      { maxDomainShare: 2 },
      { tokenBudget: 0 },
      { order: "hard" },
      { x: 1 },
    ]) {
      expect(mixSchema.safeParse(wrong).success).toBe(false);
    }
  });
});
