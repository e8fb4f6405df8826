import { describe, expect, it } from "vitest";
import type { RuleCall } from "../../shared/reward/rule-step.ts";
import { call, regressionOf, score, stepsWith } from "./factories.ts";

const bash = (command: string, output = ""): RuleCall => call("bash", { command }, output);

/** The same change and its reversal in the argument styles of different agents. */
const styles: Readonly<Record<string, (from: string, to: string) => RuleCall>> = {
  "old_string/new_string": (from, to) =>
    call("Edit", { file_path: "/a.py", old_string: from, new_string: to }),
  "old_str/new_str": (from, to) =>
    call("str_replace_editor", { command: "str_replace", path: "/a.py", old_str: from, new_str: to }),
  "oldString/newString": (from, to) => call("edit", { filePath: "/a.py", oldString: from, newString: to }),
  "search/replace": (from, to) => call("edit", { path: "/a.py", search: from, replace: to }),
  "a list of edits": (from, to) =>
    call("MultiEdit", { file_path: "/a.py", edits: [{ old_string: from, new_string: to }] }),
  "a patch": (from, to) =>
    call("apply_patch", {
      patch: `*** Begin Patch\n*** Update File: /a.py\n@@\n-${from}\n+${to}\n*** End Patch`,
    }),
  "a diff given to git": (from, to) =>
    bash(`git apply - <<'EOF'\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-${from}\n+${to}\nEOF`),
  "a sed command": (from, to) => bash(`sed -i 's/${from}/${to}/' a.py`),
};

describe("regression", () => {
  it.for(Object.entries(styles))("sees an edit taken back in the style of %s", ([, edit]) => {
    expect(regressionOf(stepsWith(edit("one", "two"), edit("two", "one")))).toEqual([1, 0]);
    expect(regressionOf(stepsWith(edit("one", "two"), edit("two", "three")))).toEqual([1, 1]);
  });

  it("sees an edit of one style taken back in another", () => {
    const [first, second] = [styles["old_string/new_string"], styles["old_str/new_str"]];
    if (first === undefined || second === undefined) throw new Error("styles are missing");
    expect(regressionOf(stepsWith(first("one", "two"), second("two", "one")))).toEqual([1, 0]);
  });

  it("sees a reversal that is quoted with other surrounding lines", () => {
    const steps = stepsWith(
      call("Edit", { file_path: "a", old_string: "x\nold_value = 1\ny", new_string: "x\nnew_value = 2\ny" }),
      call("Edit", { file_path: "a", old_string: "new_value = 2", new_string: "old_value = 1" }),
    );
    expect(regressionOf(steps)).toEqual([1, 0]);
  });

  it("sees an insertion deleted again and a deletion inserted again", () => {
    const insert = call("str_replace_editor", {
      command: "insert",
      path: "a",
      insert_line: 3,
      new_str: "print(1)",
    });
    const remove = call("Edit", { file_path: "a", old_string: "print(1)", new_string: "" });
    expect(regressionOf(stepsWith(insert, remove))).toEqual([1, 0]);
    expect(regressionOf(stepsWith(remove, insert))).toEqual([1, 0]);
  });

  it("keeps files apart", () => {
    const edit = (file: string, from: string, to: string): RuleCall =>
      call("Edit", { file_path: file, old_string: from, new_string: to });
    expect(regressionOf(stepsWith(edit("a", "1", "2"), edit("b", "2", "1")))).toEqual([1, 1]);
  });

  it("sees a file written back to what it was", () => {
    const write = (text: string): RuleCall => call("Write", { file_path: "a", content: text });
    const edit = call("Edit", { file_path: "a", old_string: "n", new_string: "m" });
    expect(regressionOf(stepsWith(write("one"), write("two"), write("one")))).toEqual([1, 1, 0]);
    expect(regressionOf(stepsWith(write("one"), edit, write("one")))).toEqual([1, 1, 0]);
    expect(regressionOf(stepsWith(write("one"), write("one")))).toEqual([1, 1]);
    const shell = (text: string): RuleCall => bash(`cat > a.py <<'EOF'\n${text}\nEOF`);
    expect(regressionOf(stepsWith(shell("one"), shell("two"), shell("one")))).toEqual([1, 1, 0]);
  });

  it("follows line edits of the open file", () => {
    const edit = (text: string): RuleCall => bash(`edit 3:4\n${text}\nend_of_edit`);
    const steps = stepsWith(bash("open a.py"), edit("return 1"), edit("return 2"), edit("return 1"));
    expect(regressionOf(steps)).toEqual([1, 1, 1, 0]);
    const other = stepsWith(
      bash("open a.py"),
      edit("return 1"),
      edit("return 2"),
      bash("open b.py"),
      edit("return 1"),
    );
    expect(regressionOf(other)).toEqual([1, 1, 1, 1, 1]);
  });

  it("sees undoing, but only if there was something to undo", () => {
    const undo = call("str_replace_editor", { command: "undo_edit", path: "a" });
    const edit = call("str_replace_editor", {
      command: "str_replace",
      path: "a",
      old_str: "1",
      new_str: "2",
    });
    expect(regressionOf(stepsWith(undo, edit, undo))).toEqual([1, 1, 0]);
  });

  it("does not judge or remember a refused edit", () => {
    const refused = call("Edit", { file_path: "a", old_string: "1", new_string: "2" }, "Error: no match");
    const back = call("Edit", { file_path: "a", old_string: "2", new_string: "1" });
    expect(regressionOf(stepsWith(refused, back))).toEqual([1, 1]);
  });

  it("charges the last change before tests that had passed fail", () => {
    const edit = call("Edit", { file_path: "a", old_string: "1", new_string: "2" });
    const green = bash("pytest", "5 passed in 0.1s");
    const red = bash("pytest", "2 failed, 3 passed in 0.1s");
    expect(regressionOf(stepsWith(green, edit, red))).toEqual([1, 0.3, 1]);
    expect(regressionOf(stepsWith(red, edit, green))).toEqual([1, 1, 1]);
    expect(regressionOf(stepsWith(green, red))).toEqual([1, 1]);
    expect(score(stepsWith(green, edit, red)).steps[1]?.reasons).toEqual([
      {
        call: 0,
        code: "tests_broken",
        message: "after Edit the tests that passed in step 0 fail in step 2",
        penalty: 0.7,
      },
    ]);
  });
});
