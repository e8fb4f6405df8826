import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogEntry } from "../../shared/contracts/catalog-row.ts";
import type { TaskAttempts } from "../../shared/preferences/attempt.ts";
import { collectAttempts } from "../../shared/preferences/collect-attempts.ts";
import {
  type PreferenceInput,
  stepPreferences,
  trajectoryPreferences,
} from "../../shared/preferences/make-preferences.ts";
import { preferenceRowSchema, type StepRow } from "../../shared/preferences/preference-row.ts";
import { preferenceSummarySchema } from "../../shared/preferences/summary.ts";
import { idOf, makeRow } from "../factories/catalog-rows.ts";
import { attemptsArbitrary, makeAttempt, makeOptions } from "./factories.ts";

function inputOf(...tasks: readonly TaskAttempts[]): PreferenceInput {
  return { tasks, leftOut: {} };
}

function entry(name: string, more: Partial<CatalogEntry> = {}): CatalogEntry {
  const score = { scorer: "scorer", reward: 0.5, process: 0.5, outcome: 1, efficiency: null };
  const use = { feedback: null, exportCount: 0, createdAt: 0, supersededBy: null };
  return { ...makeRow(name), ...score, ...use, ...more };
}

async function* each(entries: readonly CatalogEntry[]): AsyncIterable<CatalogEntry> {
  yield* entries;
}

describe("preferences of many tasks", () => {
  const longer = { task: "a", attempts: [makeAttempt("a1", 0.9, { steps: 9 }), makeAttempt("a2", 0.1)] };
  const longerToo = { task: "b", attempts: [makeAttempt("b1", 0.5, { steps: 9 }), makeAttempt("b2", 0.1)] };
  const shorter = { task: "c", attempts: [makeAttempt("c1", 0.3, { steps: 2 }), makeAttempt("c2", 0.1)] };

  it("bound the share of longer ones over all tasks, and report it before and after", () => {
    const made = trajectoryPreferences(inputOf(longer, longerToo, shorter), {
      ...makeOptions(),
      maxLongerShare: 0.5,
    });
    expect([...made.rows].map(({ task }) => task)).toEqual(["a", "c"]);
    expect(made.summary()).toMatchObject({
      pairs: 2,
      lengths: {
        before: { longer: 2, shorter: 1, longer_share: { n: 3, value: 2 / 3 } },
        after: { longer: 1, shorter: 1, longer_share: { n: 2, value: 0.5 } },
      },
      left_out: { pairs: { "too many whose chosen attempt is longer": 1 } },
    });
  });

  it("count votes on tasks that are not there, and tasks with one attempt", () => {
    const votes = [
      { taskId: "nowhere", chosenId: "x", rejectedId: "y", votes: 2, share: 1, source: "votes" as const },
    ];
    const alone = { task: "d", attempts: [makeAttempt("d1", 0.5)] };
    const made = trajectoryPreferences(inputOf(longer, alone), { ...makeOptions(), votes });
    expect([...made.rows]).toHaveLength(1);
    expect(made.summary()).toMatchObject({
      votes: { "names no task that was selected": 1 },
      left_out: { tasks: { "one scored attempt only": 1 } },
    });
  });

  it("are rows and a summary that follow their schemas, and do not depend on when they are asked for", () => {
    const tasks = fc.array(attemptsArbitrary, { maxLength: 4 });
    fc.assert(
      fc.property(tasks, fc.constantFrom("outside-in", "all-pairs"), (all, strategy) => {
        const input = inputOf(...all.map((attempts, index) => ({ task: `task ${index}`, attempts })));
        const request = { ...makeOptions({ strategy }), maxLongerShare: 0.6 };
        const made = trajectoryPreferences(input, request);
        const rows = [...made.rows];
        for (const row of rows) expect(preferenceRowSchema.parse(row)).toEqual(row);
        const summary = made.summary();
        expect(preferenceSummarySchema.parse(summary)).toEqual(summary);
        expect(summary.pairs).toBe(rows.length);
        expect([...trajectoryPreferences(input, request).rows]).toEqual(rows);
        const share = summary.lengths?.after.longer_share.value ?? 0;
        expect(share).toBeLessThanOrEqual(0.6 + 1e-9);
      }),
    );
  });

  it("read the paths of steps for tasks with two attempts only, one task at a time", async () => {
    const read: string[] = [];
    const alone = { task: "alone", attempts: [makeAttempt("lone", 1)] };
    const made = stepPreferences(
      inputOf(longer, alone, shorter),
      { margin: 0, minRuns: 1, verified: false },
      async (id) => {
        read.push(id);
        return { prompt: "p", decisions: [{ action: id, observation: "" }] };
      },
    );
    const rows: StepRow[] = [];
    for await (const row of made.rows) rows.push(row);
    for (const row of rows) expect(preferenceRowSchema.parse(row)).toEqual(row);
    expect(rows.map(({ chosen, rejected }) => [chosen.id, rejected.id])).toEqual([
      ["a1", "a2"],
      ["c1", "c2"],
    ]);
    expect(read).toEqual(["a1", "a2", "c1", "c2"]);
    expect(preferenceSummarySchema.parse(made.summary())).toMatchObject({ pairs: 2, lengths: null });
  });
});

describe("attempts of a catalog", () => {
  it("come by task; what has no reward is counted by reason", async () => {
    const collected = await collectAttempts(
      each([
        entry("a", { taskKey: "z" }),
        entry("b", { taskKey: "a" }),
        entry("c", { taskKey: "z", reward: null }),
        entry("d", { scorer: null, reward: null }),
        entry("e", { agentSteps: 0 }),
      ]),
    );
    expect(collected.tasks.map(({ task, attempts }) => [task, attempts.map(({ id }) => id)])).toEqual([
      ["a", [idOf("b")]],
      ["z", [idOf("a")]],
    ]);
    expect(collected.leftOut).toEqual({
      "nothing could be scored": 1,
      "not scored yet": 1,
      "the agent never acts": 1,
    });
  });

  it("are of one scale only where scorer and layers are the same, unless layers may differ", async () => {
    const entries = [entry("a"), entry("b"), entry("c", { outcome: null }), entry("d", { scorer: "other" })];
    const scales = async (layers: "same" | "any"): Promise<readonly (string | null)[]> =>
      (await collectAttempts(each(entries), { layers })).tasks.flatMap(({ attempts }) =>
        attempts.map(({ scale }) => scale),
      );
    expect(new Set(await scales("same")).size).toBe(3);
    expect(new Set(await scales("any")).size).toBe(2);
  });
});
