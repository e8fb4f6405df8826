import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogEntry } from "../../shared/contracts/catalog-row.ts";
import { type DatasetRequest, datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { Selector } from "../../shared/dataset/select.ts";
import { idOf, makeRow, makeScore } from "../factories/catalog-rows.ts";

function makeEntry(name: string, more: Partial<CatalogEntry> = {}): CatalogEntry {
  const own = { feedback: null, exportCount: 0, createdAt: 0, supersededBy: null };
  return { ...makeRow(name), ...makeScore(), ...own, ...more };
}

function selectorOf(request: Partial<DatasetRequest>, entries: readonly CatalogEntry[]) {
  const selector = new Selector(datasetRequestSchema.parse(request), 0);
  for (const entry of entries) selector.offer(entry);
  const { considered, excluded } = selector;
  return { considered, excluded, selected: [...selector.selected] };
}

const entry = fc
  .record({
    name: fc.nat(1000),
    content: fc.nat(12),
    taskKey: fc.constantFrom("t1", "t2", "t3"),
    success: fc.constantFrom(true, false, null),
    reward: fc.constantFrom(null, 0, 0.4, 0.9),
    agentSteps: fc.nat(2),
    scorer: fc.constantFrom("s", "s", null),
    supersededBy: fc.constantFrom(null, null, "x"),
  })
  .map(({ name, content, ...rest }) => makeEntry(`${name}`, { contentId: idOf(`c${content}`), ...rest }));
const request = fc.record(
  {
    success: fc.subarray(["true", "false", "unknown"] as const),
    minReward: fc.constantFrom(0, 0.4, 1),
    perTask: fc.integer({ min: 1, max: 3 }),
    limit: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: [] },
);

describe("Selector", () => {
  it("counts every trajectory once: selected, or left out for one reason", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), request, (entries, wanted) => {
        const { considered, selected, excluded } = selectorOf(wanted, entries);
        const out = Object.values(excluded).reduce((sum, count) => sum + count, 0);
        expect(considered).toBe(entries.length);
        expect(selected.length + out).toBe(considered);
      }),
    );
  });

  it("keeps what is asked for: one per content, caps per task and in all, verdicts and rewards", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), request, (entries, wanted) => {
        const { selected } = selectorOf(wanted, entries);
        const chosen = selected.map(({ id }) => entries.filter((candidate) => candidate.id === id));
        const contents = new Set<string>();
        for (const [index, candidates] of chosen.entries()) {
          const fits = candidates.find(
            ({ contentId, reward, supersededBy, agentSteps, scorer }) =>
              !contents.has(contentId) &&
              supersededBy === null &&
              agentSteps > 0 &&
              scorer === selected[index]?.scorer &&
              (reward ?? 0) >= (wanted.minReward ?? 0),
          );
          expect(fits).toBeDefined();
          contents.add(fits?.contentId ?? "");
        }
        if (wanted.limit !== undefined) expect(selected.length).toBeLessThanOrEqual(wanted.limit);
        for (const task of ["t1", "t2", "t3"]) {
          const attempts = selected.filter(({ taskKey }) => taskKey === task).length;
          expect(attempts).toBeLessThanOrEqual(wanted.perTask ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });

  it.each<readonly [string, Partial<DatasetRequest>, Partial<CatalogEntry>]>([
    ["superseded by a longer log of the session", {}, { supersededBy: "x" }],
    ["other domain", { domain: "web" }, {}],
    ["other agent", { agent: "x" }, {}],
    ["other model", { model: "x" }, { model: null }],
    ["other log format", { sourceFormat: "crew" }, {}],
    ["no outcome label", {}, { success: null }],
    ["did not succeed", {}, { success: false }],
    ["succeeded", { success: ["false"] }, {}],
    ["the agent never acts", {}, { agentSteps: 0 }],
    ["not scored yet", {}, { scorer: null, reward: null }],
    ["reward below the minimum", { minReward: 0.51 }, { reward: 0.5 }],
    ["reward below the minimum", { minReward: 0.51 }, { reward: null }],
    ["GDI below the minimum", { minGdi: 1 }, {}],
  ])("says why one is left out: %s", (reason, wanted, more) => {
    const { excluded, selected } = selectorOf(wanted, [makeEntry("a", more)]);
    expect(excluded).toEqual({ [reason]: 1 });
    expect(selected).toEqual([]);
  });

  it("takes the best of equal content and of a task, since the best come first", () => {
    const entries = [
      makeEntry("best", { contentId: "c1", reward: 0.9 }),
      makeEntry("same", { contentId: "c1", reward: 0.8 }),
      makeEntry("second", { contentId: "c2", reward: 0.7 }),
      makeEntry("third", { contentId: "c3", reward: 0.6 }),
      makeEntry("other task", { contentId: "c4", taskKey: "t2", reward: 0.5 }),
      makeEntry("too many", { contentId: "c5", taskKey: "t3", reward: 0.4 }),
    ];
    const { selected, excluded } = selectorOf({ perTask: 2, limit: 3 }, entries);
    expect(selected.map(({ id }) => id)).toEqual(["best", "second", "other task"].map(idOf));
    expect(excluded).toEqual({
      "same actions and observations as a better one": 1,
      "enough of its task": 1,
      "over the limit": 1,
    });
  });
});
