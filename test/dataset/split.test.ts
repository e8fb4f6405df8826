import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SplitKeys, splitOf, splitSchema } from "../../shared/dataset/split.ts";

const shares = fc
  .tuple(fc.nat(10), fc.nat(10), fc.nat(10))
  .filter(([train, validation, test]) => train + validation + test > 0)
  .map(([train, validation, test]) => {
    const all = train + validation + test;
    return { train: train / all, validation: validation / all, test: test / all };
  });

describe("splitOf", () => {
  it("puts a task into one split that has a share, and always the same", () => {
    fc.assert(
      fc.property(fc.string(), shares, fc.integer(), (task, share, seed) => {
        const config = splitSchema.parse({ ...share, seed });
        const split = splitOf(task, config);
        expect(config[split]).toBeGreaterThan(0);
        expect(splitOf(task, { ...config })).toBe(split);
      }),
    );
  });

  it("keeps a training task in training when the share of training grows", () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (task, train) => {
        const small = splitSchema.parse({ train, validation: 1 - train });
        const grown = splitSchema.parse({ train: train + (1 - train) / 2, validation: (1 - train) / 2 });
        if (splitOf(task, small) === "train") expect(splitOf(task, grown)).toBe("train");
      }),
    );
  });

  it("comes near the shares on many tasks, otherwise with another seed", () => {
    const tasks = Array.from({ length: 5000 }, (_, index) => `task-${index}`);
    const share = { train: 0.7, validation: 0.2, test: 0.1 };
    const splits = (seed: number): readonly string[] =>
      tasks.map((task) => splitOf(task, splitSchema.parse({ ...share, seed })));
    for (const [name, wanted] of Object.entries(share)) {
      const found = splits(42).filter((split) => split === name).length / tasks.length;
      expect(Math.abs(found - wanted)).toBeLessThan(0.02);
    }
    const others = splits(43);
    const moved = splits(42).filter((split, index) => split !== others[index]).length;
    expect(moved / tasks.length).toBeGreaterThan(0.3);
  });
});

describe("SplitKeys", () => {
  const task = (taskKey: string, repo: string | null = null) => ({ taskKey, taskId: taskKey, repo });

  it("keeps all tasks of a repository together, however it is written and at whatever commit", () => {
    const keys = new SplitKeys({ by: "repository" });
    const names = [
      "https://github.com/Owner/Name.git",
      "git@github.com:owner/name",
      "owner/name@0123abc",
      "https://github.com/owner/name/tree/0123abc",
    ];
    for (const [index, name] of names.entries()) keys.note(task(`t${index}`, name));
    keys.note(task("owner__name-17"));
    keys.note(task("another", "owner/other"));
    const found = ["owner__name-17", ...names.map((_, index) => `t${index}`)].map((name) => keys.of(name));
    expect(new Set(found)).toEqual(new Set(["repository:owner/name"]));
    expect(keys.of("another")).toBe("repository:owner/other");
  });

  it("leaves a task by itself where no attempt names a repository, or where tasks are split", () => {
    const keys = new SplitKeys({ by: "repository" });
    keys.note(task("book a flight"));
    expect(keys.of("book a flight")).toBe("book a flight");
    const byTask = new SplitKeys({});
    byTask.note(task("t", "owner/name"));
    expect(byTask.of("t")).toBe("t");
  });

  it("does not hang on the order of the attempts", () => {
    const notes = [task("t", null), task("t", "b/b"), task("t", "a/a"), task("u", "a/a")];
    fc.assert(
      fc.property(fc.shuffledSubarray(notes, { minLength: notes.length }), (shuffled) => {
        const keys = new SplitKeys({ by: "repository" });
        for (const note of shuffled) keys.note(note);
        expect([keys.of("t"), keys.of("u")]).toEqual(["repository:a/a", "repository:a/a"]);
      }),
    );
  });
});

describe("splitSchema", () => {
  it("takes 0.9 and 0.1 where nothing is said", () => {
    expect(splitSchema.parse({})).toEqual({ train: 0.9, validation: 0.1, test: 0, seed: 42 });
  });

  it.each([
    [{ train: 0.5 }],
    [{ train: 0.9, validation: 0.2 }],
    [{ train: 1.5, validation: -0.5 }],
    [{ train: Number.NaN }],
  ])("refuses shares that do not add up to 1: %j", (config) => {
    expect(splitSchema.safeParse(config).success).toBe(false);
  });

  it("says what the shares add up to", () => {
    const { error } = splitSchema.safeParse({ train: 0.8, validation: 0.1, test: 0.2 });
    expect(error?.issues[0]?.message).toMatch(/must add up to 1; they add up to 1\.1/);
  });
});
