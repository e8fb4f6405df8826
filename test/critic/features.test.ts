import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  criticFeatureNames,
  criticFeatures,
  PrefixFeatures,
  prefixVectors,
} from "../../shared/critic/features.ts";
import type { Step } from "../../shared/trajectory/schema.ts";
import { agentStep, anyDomain, anySteps, runOf, userStep } from "./runs.ts";

/** The features after all steps, by name. */
function featuresOf(steps: readonly Step[], domain = "coding"): Readonly<Record<string, number>> {
  const vector = [...prefixVectors(runOf(steps, domain))].at(-1) ?? [];
  return Object.fromEntries(criticFeatureNames.map((name, index) => [name, vector[index] ?? Number.NaN]));
}

const bash = (command: string, output: string | null = ""): Step =>
  agentStep("", ["bash", { command }, output]);
const edit = (path: string, before: string, after: string, output = "The file has been edited."): Step =>
  agentStep("", [
    "str_replace_editor",
    { command: "str_replace", path, old_str: before, new_str: after },
    output,
  ]);

describe("the features of prefixes", () => {
  it("are one finite number for each name, whatever the log holds", () => {
    expect(new Set(criticFeatureNames).size).toBe(criticFeatureNames.length);
    fc.assert(
      fc.property(anySteps, anyDomain, (steps, domain) => {
        const run = runOf(steps, domain);
        const vectors = [...prefixVectors(run)];
        expect(vectors).toHaveLength(run.steps.length + 1);
        for (const vector of vectors) {
          expect(vector).toHaveLength(criticFeatureNames.length);
          expect(vector.filter((value) => !Number.isFinite(value))).toEqual([]);
        }
      }),
    );
  });

  it("of a prefix do not depend on what comes after it", () => {
    fc.assert(
      fc.property(anySteps, anySteps, anyDomain, (before, after, domain) => {
        const whole = [...prefixVectors(runOf([...before, agentStep("next"), ...after], domain))];
        const part = [...prefixVectors(runOf(before, domain))];
        // Users' messages after the last agent step belong to it, so both runs have them.
        expect(whole.slice(0, part.length)).toEqual(part);
      }),
    );
  });

  it("are the same whether steps are added one by one or all are given", () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const run = runOf(steps);
        const features = new PrefixFeatures(run);
        for (const step of run.steps) features.add(step);
        expect(features.values()).toEqual([...prefixVectors(run)].at(-1));
      }),
    );
  });

  it("have no words in them: other names and texts of the same shape give the same numbers", () => {
    const steps = (word: string, file: string): readonly Step[] => [
      userStep(`Mend ${word} in ${file}.py`),
      agentStep(`I look at ${word}`, ["bash", { command: `cat ${file}.py` }, `${word} = 1`]),
      edit(`${file}.py`, `${word} = 1`, `${word} = 2`),
      bash("pytest -q", "2 passed in 0.1s"),
    ];
    expect(featuresOf(steps("alpha", "one"))).toEqual(featuresOf(steps("omega", "two")));
  });

  it("cost time in proportion to the steps", () => {
    const steps = (count: number): readonly Step[] =>
      Array.from({ length: count }, (_, i) => bash(`cat file${i}.py`, `line ${i} `.repeat(20)));
    const timed = (count: number): number => {
      const run = runOf(steps(count));
      const times = [1, 2, 3].map(() => {
        const start = performance.now();
        for (const _ of prefixVectors(run));
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    timed(200);
    // 16 times the steps; were it quadratic, it would be 256 times the time.
    expect(timed(3_200) / timed(200)).toBeLessThan(80);
  });

  it("are all described in docs/CRITIC.md as the code describes them", () => {
    const text = readFileSync(new URL("../../docs/CRITIC.md", import.meta.url), "utf8");
    // Cells are padded where the formatter lines them up.
    const document = text.replace(/ +/g, " ");
    const missing = criticFeatures.filter(([name, meaning, ...how]) => {
      const marks = how.filter((each) => each !== undefined).join(", ");
      return !document.includes(`| \`${name}\` | ${meaning} | ${marks === "" ? "" : `${marks} `}|`);
    });
    expect(missing).toEqual([]);
  });
});

describe("single features", () => {
  it("count failures, and rows of them up to now", () => {
    const bad = bash("python x.py", "Traceback (most recent call last)\nValueError: no");
    const found = featuresOf([bad, bad, bash("python x.py", "fine"), bad]);
    expect(found["failed"]).toBeCloseTo(Math.log1p(3), 3);
    expect(found["failed_share"]).toBe(0.75);
    expect(found["failed_last"]).toBe(1);
    expect(found["failed_streak"]).toBeCloseTo(Math.log1p(1), 3);
    expect(found["failed_streak_longest"]).toBeCloseTo(Math.log1p(2), 3);
    expect(found["failed_then_fine"]).toBe(1);
  });

  it("tell a repetition with the same answer from one with another", () => {
    const found = featuresOf([bash("ls", "a"), bash("ls", "a"), bash("ls", "a b"), bash("pwd", "/")]);
    expect(found["repeats_share"]).toBe(0.5);
    expect(found["repeats_same_answer_share"]).toBe(0.25);
    expect(found["near_repeats_share"]).toBe(0.5);
    expect(found["loop_streak_longest"]).toBeCloseTo(Math.log1p(2), 3);
    expect(found["loop_streak"]).toBe(0);
  });

  it("tell edits of the work from files that the run itself created", () => {
    const create = agentStep("", [
      "str_replace_editor",
      { command: "create", path: "/w/repro.py", file_text: "x" },
      "File created successfully at: /w/repro.py",
    ]);
    const found = featuresOf([create, edit("/w/repro.py", "x", "y"), bash("rm /w/repro.py")]);
    expect(found).toMatchObject({ work_edited: 0, own_files_removed_share: 1 });
    expect(found["own_files"]).toBeCloseTo(Math.log1p(1), 3);
    const work = featuresOf([
      create,
      edit("/w/core.py", "x", "yy"),
      edit("/w/core.py", "nope", "z", "No replacement was performed"),
    ]);
    expect(work).toMatchObject({ work_edited: 1, edits_refused_share: 0.3333, edits_refused_last: 1 });
    expect(work["work_size"]).toBeCloseTo(Math.log1p(2), 3);
  });

  it("see an edit that takes an earlier one back", () => {
    const found = featuresOf([edit("a.py", "one", "two"), edit("a.py", "two", "one")]);
    expect(found["edits_taken_back"]).toBeCloseTo(Math.log1p(1), 3);
  });

  it("know the last test run, and whether it came after the last edit", () => {
    const tests = (output: string): Step => bash("pytest -q", output);
    const fixed = featuresOf([
      tests("1 failed, 3 passed in 1s"),
      edit("a.py", "x", "y"),
      tests("4 passed in 1s"),
    ]);
    expect(fixed).toMatchObject({
      tests_last_passed: 1,
      tests_last_rate: 1,
      tests_turned_green: 1,
      tests_turned_red: 0,
      tests_passed_after_edit: 1,
      edits_checked_share: 1,
    });
    const unchecked = featuresOf([tests("4 passed in 1s"), edit("a.py", "x", "y")]);
    expect(unchecked).toMatchObject({
      tests_last_passed: 1,
      tests_passed_after_edit: 0,
      edits_checked_share: 0,
    });
    const broken = featuresOf([tests("4 passed in 1s"), edit("a.py", "x", "y"), tests("4 failed in 1s")]);
    expect(broken).toMatchObject({ tests_turned_red: 1, tests_failed_after_edit: 1, tests_last_rate: 0 });
  });

  it("count steps since anything moved", () => {
    const moved = [bash("cat a.py", "x"), bash("cat b.py", "y")];
    expect(featuresOf(moved)).toMatchObject({ steps_since_progress: 0, progress_share: 1 });
    const stuck = featuresOf([...moved, bash("cat b.py", "y"), bash("cat b.py", "y")]);
    expect(stuck["steps_since_progress"]).toBeCloseTo(Math.log1p(2), 3);
    expect(stuck["progress_share"]).toBe(0.5);
  });

  it("see that the work was handed in", () => {
    expect(featuresOf([bash("ls")])["submitted"]).toBe(0);
    expect(featuresOf([bash("ls"), agentStep("", ["submit", {}, "ok"])])).toMatchObject({
      submitted: 1,
      last_submit: 1,
    });
  });

  it("see whether what is edited was asked for and what is written was found before", () => {
    const asked = userStep("The parser in core.py drops commas");
    const named = featuresOf([
      asked,
      bash("cat core.py", "def parser(): comma"),
      edit("src/core.py", "parser", "comma parser"),
    ]);
    expect(named).toMatchObject({ edits_in_asked_share: 1, edit_last_in_asked: 1 });
    const other = featuresOf([asked, edit("src/elsewhere.py", "parser", "gibberish unheard")]);
    expect(other["edits_in_asked_share"]).toBe(0);
    expect(other["edit_words_known"]).toBeLessThan(named["edit_words_known"] ?? 0);
  });

  it("count replies in words, and calls of services that change something", () => {
    const steps = [
      userStep("Cancel my order 77"),
      agentStep("", ["get_order", { id: "77" }, '{"id": "77"}']),
      agentStep("Shall I?"),
      userStep("Yes"),
      agentStep("", ["cancel_order", { id: "77" }, "Error: order not found"]),
      agentStep("", ["transfer_to_human_agents", { summary: "x" }, "ok"]),
    ];
    const found = featuresOf(steps, "conversation");
    expect(found).toMatchObject({ handed_over: 1, domain_conversation: 1, domain_coding: 0 });
    expect(found["replies"]).toBeCloseTo(Math.log1p(1), 3);
    expect(found["service_changes_failed"]).toBeCloseTo(Math.log1p(1), 3);
  });
});
