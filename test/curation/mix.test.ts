import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandOf } from "../../shared/curation/balance.ts";
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
  const { rows: taken, groups } = mix(list, {
    caps: wanted,
    facts: { tokens, difficulty: (task) => difficulties.get(task) ?? null },
    leftOut: (reason) => reasons.push(reason),
  });
  return { taken, reasons, groups };
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
      groups: undefined,
    });
  });

  const balance = fc.record(
    {
      perTask: fc.integer({ min: 1, max: 20 }),
      limit: fc.integer({ min: 1, max: 40 }),
      tokenBudget: fc.integer({ min: 1, max: 400 }),
      balance: fc.constantFrom("domain", "difficulty"),
      order: fc.constantFrom("best", "easy-first"),
    },
    { requiredKeys: ["balance"] },
  );

  it("keeps the caps of a balanced mix, and says of each group what it wanted, had and took", () => {
    fc.assert(
      fc.property(rows, balance, (list, wanted) => {
        const { taken, reasons, groups = [] } = mixed(list, wanted);
        expect(taken.length + reasons.length).toBe(list.length);
        expect(new Set(taken.map(({ id }) => id)).size).toBe(taken.length);
        expect(taken.length).toBeLessThanOrEqual(wanted.limit ?? list.length);
        for (const count of counts(taken, "taskKey")) expect(count).toBeLessThanOrEqual(wanted.perTask ?? 60);
        const sum = taken.reduce((all, { id }) => all + tokens(id), 0);
        expect(sum).toBeLessThanOrEqual(wanted.tokenBudget ?? Number.POSITIVE_INFINITY);
        expect(groups.reduce((all, group) => all + group.taken, 0)).toBe(taken.length);
        for (const group of groups) expect(group.taken).toBeLessThanOrEqual(group.available);
        if (wanted.tokenBudget !== undefined) return;
        // No group may have more than another that still had rows to give, but for the one whose turn it was.
        for (const more of groups) {
          for (const less of groups) {
            if (less.taken < less.available) expect(more.taken - less.taken).toBeLessThanOrEqual(1);
          }
        }
        if (wanted.limit === undefined)
          expect(new Set(groups.map((group) => group.taken)).size).toBeLessThan(2);
        else {
          const open = groups.reduce((all, group) => all + group.available, 0);
          expect(taken.length).toBe(Math.min(open, wanted.limit));
        }
      }),
    );
  });

  it("balances with a budget until a group has no row left that fits", () => {
    const sizes =
      (list: string): ((id: string) => number) =>
      (id) =>
        list[Number(id)] === "a" ? 1 : 10;
    const take = (list: string, tokenBudget: number) =>
      mix(domains(list), {
        caps: { balance: "domain", tokenBudget },
        facts: { tokens: sizes(list), difficulty: () => null },
        leftOut: () => undefined,
      }).rows.map(({ domain }) => domain);
    expect(take("aaaaaaaabbb", 25).sort()).toEqual(["a", "a", "a", "b", "b"]);
    expect(take("aaaaab", 25).sort()).toEqual(["a", "a", "a", "a", "a", "b"]);
    expect(take("aaab", 5).sort()).toEqual(["a", "a", "a"]);
  });

  it("deals rows by weight, leaves out groups without one, and gives what one lacks to the others", () => {
    const take = (list: string, wanted: MixCaps) => {
      const { taken, reasons } = mixed(domains(list), { balance: "domain", ...wanted });
      return { taken: taken.map(({ domain }) => domain).join(""), reasons };
    };
    const shares = { a: 3, b: 1 };
    expect(take("aaaaaaaabbbbc", { shares, limit: 8 }).taken).toBe("aaaaaabb");
    expect(take("aaaaaaaabbbbc", { shares, limit: 8 }).reasons.sort()).toEqual(
      ["its domain has no share", ...Array.from({ length: 4 }, () => "over the limit")].sort(),
    );
    expect(take("aabbbbbb", { shares, limit: 6 }).taken).toBe("aabbbb");
    expect(take("aaaaaabbbb", { shares }).taken).toBe("aaaaaabb");
    expect(take("aaaaaabbbb", { shares }).reasons).toEqual(["b", "b"].map(() => "enough of its domain"));
    expect(take("aab", { shares: { nobody: 1 } }).taken).toBe("");
  });

  it("makes bands of difficulty out of the share of attempts that succeed", () => {
    expect([0, 0.3, 0.31, 0.5, 0.7, 0.71, 1, null].map(bandOf)).toEqual([
      ...["easy", "easy", "medium", "medium", "medium", "hard", "hard", "unknown"],
    ]);
    const list = [..."1122223344"].map((task, id) => ({
      id: String(id),
      taskKey: `t${task}`,
      domain: "coding",
      agentSteps: 1,
    }));
    // t1 is hard, t2 easy, t3 medium, and nobody knows of t4.
    expect(mixed(list, { balance: "difficulty" }).groups).toEqual([
      { group: "easy", weight: 1, available: 4, taken: 2 },
      { group: "hard", weight: 1, available: 2, taken: 2 },
      { group: "medium", weight: 1, available: 2, taken: 2 },
      { group: "unknown", weight: 1, available: 2, taken: 2 },
    ]);
  });

  it("takes the rows with the highest GDI where the order goes by it", () => {
    const list = domains("aaaa").map((each, index) => ({
      ...each,
      taskKey: "t",
      gdi: [0.2, 0.9, 0.5, 0.9][index] ?? 0,
    }));
    expect(mixed(list, { order: "gdi", limit: 3 }).taken.map(({ id }) => id)).toEqual(["1", "3", "2"]);
    expect(mixed(list, { order: "gdi", perTask: 1 }).taken.map(({ id }) => id)).toEqual(["1"]);
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
      { balance: "model" },
      { shares: { coding: 1 } },
      { balance: "domain", shares: { coding: 0 } },
      { balance: "domain", shares: { coding: -1 } },
      { balance: "difficulty", shares: { simple: 1 } },
      { balance: "domain", maxDomainShare: 0.5 },
    ]) {
      expect(mixSchema.safeParse(wrong).success).toBe(false);
    }
  });
});
