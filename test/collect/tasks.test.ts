import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTasks, TasksFileError } from "../../shared/collect/read-tasks.ts";
import { selectTasks, TaskFilterError } from "../../shared/collect/select-tasks.ts";
import { sandboxTask } from "../../shared/env/sandbox-task.ts";
import type { EnvTask } from "../../shared/env/task.ts";

const ROW = {
  instance_id: "astropy__astropy-12907",
  repo: "astropy/astropy",
  base_commit: "d16bfe05a744909de4b27f5875fe0d4ed41ce607",
  problem_statement: "Nested models are wrong.",
  hints_text: "the secret hint",
  patch: "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-the secret fix\n+the secret fix 2\n",
  test_patch: "--- a/test_x.py\n+++ b/test_x.py\n",
  FAIL_TO_PASS: '["test_x.py::test_one"]',
  PASS_TO_PASS: ["test_x.py::test_two"],
  version: "4.3",
};
const lines = (...values: readonly unknown[]) => values.map((each) => JSON.stringify(each)).join("\n");

describe("a file of tasks", () => {
  it("is read line by line or as one list, whatever fields environments have of their own", () => {
    const tasks = [
      { id: "a", description: "Do it", domain: "coding", conversation: { turns: 3 } },
      { id: "b", difficulty: "hard" },
    ];
    expect(readTasks(`\ufeff${lines(...tasks)}\n\n`, "t.jsonl")).toEqual(tasks);
    expect(readTasks(JSON.stringify(tasks, null, 2), "t.json")).toEqual(tasks);
  });

  it("gives a task without an id one that hangs on its content alone", () => {
    const [first, second] = readTasks(lines({ description: "x", domain: "d" }, { description: "y" }), "t");
    const [again] = readTasks(lines({ domain: "d", description: "x" }), "t");
    expect(first?.id).toMatch(/^task-[0-9a-f]{16}$/);
    expect(again?.id).toBe(first?.id);
    expect(second?.id).not.toBe(first?.id);
  });

  it("maps rows of SWE-bench, and keeps fix and hints from agents and training sets", () => {
    const [task] = readTasks(lines(ROW), "swe.jsonl");
    expect(task).toEqual({
      id: "astropy__astropy-12907",
      description: "Nested models are wrong.",
      repo: "astropy/astropy",
      base_commit: ROW.base_commit,
      domain: "coding",
      language: "python",
      difficulty: "easy",
      metadata: { benchmark: "swe-bench", version: "4.3" },
      sandbox: {
        base_commit: ROW.base_commit,
        test_command: [
          `{ git checkout -q ${ROW.base_commit} -- 'test_x.py' 2>/dev/null || rm -f -- 'test_x.py'; }`,
          "git apply --whitespace=nowarn .gymline-tests.patch",
          "rm -f .gymline-tests.patch",
          `"$(command -v python || command -v python3)" -m pytest -q 'test_x.py::test_one' 'test_x.py::test_two'`,
        ].join(" && "),
        hidden_tests: { ".gymline-tests.patch": ROW.test_patch },
        min_tests_passed: 2,
      },
    });
    expect(JSON.stringify(task)).not.toContain("secret");
  });

  it("takes image, clone and test command of a row where it has them, and promises no verdict where it has none", () => {
    const own = { ...ROW, test_patch: "", docker_image: "swe/x:1", test_cmd: "make test" };
    expect(readTasks(lines(own), "t", { repositories: "repos" })[0]?.["sandbox"]).toEqual({
      image: "swe/x:1",
      repo: "repos/astropy__astropy",
      base_commit: ROW.base_commit,
      test_command: "make test",
    });
    const django = { ...ROW, FAIL_TO_PASS: ["test_a (m.T)"], PASS_TO_PASS: [] };
    expect(readTasks(lines(django), "t")[0]?.["sandbox"]).not.toHaveProperty("test_command");
    expect(() => sandboxTask({ sandbox: readTasks(lines(django), "t")[0]?.["sandbox"] })).not.toThrow();
  });

  it.each([
    ["no JSON", '{"id": "a"}\n{"id": ', "t.jsonl:2: this is no JSON"],
    ["no object", '"a"', "t.jsonl:1: a task is a JSON object"],
    ["a wrong field", '{"id": 3}', "t.jsonl:1: the field id is not what a task has there"],
    ["an empty task", "{}", "t.jsonl:1: the task is empty"],
    ["an id twice", '{"id":"a"}\n\n{"id":"a"}', 't.jsonl:3: the id "a" stands at t.jsonl:1 too'],
    ["nothing", "\n", "t.jsonl: there is no task in it"],
    ["a list that is none", "[1", "t.jsonl: this is no JSON"],
    ["an entry of a list", '[{"id":"a"}, 1]', "t.jsonl, entry 2: a task is a JSON object"],
    ["SWE-bench without a commit", lines({ ...ROW, base_commit: "main" }), "needs base_commit (no commit)"],
    ["SWE-bench without a repository", lines({ ...ROW, repo: undefined }), "needs repo"],
    [
      "tests that are no list",
      lines({ ...ROW, FAIL_TO_PASS: "test_one" }),
      "needs FAIL_TO_PASS (neither a list",
    ],
  ])("names place and remedy for %s", (_, text, message) => {
    expect(() => readTasks(text, "t.jsonl")).toThrow(TasksFileError);
    expect(() => readTasks(text, "t.jsonl")).toThrow(message);
  });
});

describe("filters of tasks", () => {
  const TASKS: readonly EnvTask[] = [
    { id: "a", domain: "coding", language: "Python", difficulty: "easy" },
    { id: "b", domain: "coding", language: "go", difficulty: "hard" },
    { id: "c", domain: "advisory" },
  ];
  const ids = (tasks: readonly EnvTask[]) => tasks.map(({ id }) => id);

  it("take any of the values of one filter, whatever their case, and count before the limit", () => {
    expect(ids(selectTasks(TASKS, { languages: ["python", "GO"] }))).toEqual(["a", "b"]);
    expect(ids(selectTasks(TASKS, { difficulties: ["hard"], limit: 1 }))).toEqual(["b"]);
    expect(ids(selectTasks(TASKS, { ids: ["C", "a"] }))).toEqual(["a", "c"]);
    expect(ids(selectTasks(TASKS, { domains: ["coding"], languages: ["go"] }))).toEqual(["b"]);
  });

  it("say what there is where they leave nothing", () => {
    const chosen = () => selectTasks(TASKS, { difficulties: ["medium"] });
    expect(chosen).toThrow(TaskFilterError);
    expect(chosen).toThrow("None of the 3 tasks fits the filters; there is difficulty: easy, hard, none");
    expect(() => selectTasks(TASKS, { ids: ["a", "x"] })).toThrow("There is no task x among the 3");
  });

  it("draw a sample that hangs on its seed alone, in the order of the file", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 50 }),
        fc.nat(),
        (count, size, seed) => {
          const tasks = Array.from({ length: count }, (_, index) => ({ id: String(index) }));
          const drawn = selectTasks(tasks, { sample: { size, seed } });
          expect(drawn).toHaveLength(Math.min(size, count));
          const order = drawn.map(({ id }) => Number(id));
          expect(order).toEqual([...new Set(order)].sort((left, right) => left - right));
          expect(selectTasks(tasks, { sample: { size, seed } })).toEqual(drawn);
        },
      ),
    );
  });
});
