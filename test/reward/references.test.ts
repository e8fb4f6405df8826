import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildReferences,
  parseReferences,
  ReferencesError,
  referenceFor,
  type SizeRow,
} from "../../shared/reward/references.ts";

function rows(n: number, from: Partial<SizeRow> = {}): readonly SizeRow[] {
  return Array.from({ length: n }, (_, i) => ({
    taskKey: "t",
    domain: "coding",
    agent: "a",
    steps: i + 1,
    thought: 10 * i,
    action: 5,
    ...from,
  }));
}

const key = { taskKey: "t", domain: "coding", agent: "a" };

describe("references", () => {
  it("are medians of the task where three attempts are known, else of agent, domain, or built in", () => {
    expect(referenceFor(buildReferences(rows(5)), key)).toMatchObject({
      of: "task",
      n: 5,
      steps: 3,
      thought: 20,
    });
    const others = rows(6, { taskKey: "other" });
    const refs = buildReferences([...rows(2), ...others]);
    expect(referenceFor(refs, key)).toMatchObject({ of: "agent", n: 8 });
    expect(referenceFor(refs, { ...key, agent: "b" })).toMatchObject({ of: "domain", n: 8 });
    expect(referenceFor(refs, { ...key, domain: "browser" })).toMatchObject({ of: "builtin", n: 0 });
    expect(referenceFor(null, key)).toMatchObject({ of: "builtin", steps: 15 });
  });

  it("without a task key go by the agent even where the task is known", () => {
    expect(referenceFor(buildReferences(rows(5)), { ...key, taskKey: null })).toMatchObject({ of: "agent" });
  });

  it("leave out trajectories without steps, and names that objects have anyway", () => {
    expect(buildReferences(rows(5, { steps: 0 })).domains).toEqual({});
    const odd = { taskKey: "constructor", domain: "toString", agent: "__proto__" };
    expect(referenceFor(buildReferences([]), odd).of).toBe("builtin");
    expect(referenceFor(buildReferences(rows(5, odd)), odd)).toMatchObject({ of: "task", n: 5 });
  });

  it("do not depend on the order of the rows, survive being written, and lie within the rows", () => {
    const row = fc.record({
      taskKey: fc.option(fc.constantFrom("x", "y")),
      domain: fc.constantFrom("coding", "browser"),
      agent: fc.constantFrom("a", "b"),
      steps: fc.integer({ min: 1, max: 500 }),
      thought: fc.integer({ min: 0, max: 9_000 }),
      action: fc.integer({ min: 0, max: 9_000 }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (all) => {
        const made = buildReferences(all);
        expect(buildReferences([...all].reverse())).toEqual(made);
        expect(parseReferences(JSON.parse(JSON.stringify(made)), "x")).toEqual(made);
        for (const [domain, { n, steps }] of Object.entries(made.domains)) {
          const own = all.filter((each) => each.domain === domain).map((each) => each.steps);
          expect(n).toBe(own.length);
          expect(steps).toBeGreaterThanOrEqual(Math.min(...own));
          expect(steps).toBeLessThanOrEqual(Math.max(...own));
        }
      }),
    );
  });

  it("that are wrong are named by file and field", () => {
    const read = (): unknown =>
      parseReferences({ schema: "gymline.references.v1", tasks: { t: { n: 0 } } }, "r.json");
    expect(read).toThrow(ReferencesError);
    expect(read).toThrow(/r\.json.*tasks\.t/s);
  });
});
