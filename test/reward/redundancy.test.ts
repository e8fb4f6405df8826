import { describe, expect, it } from "vitest";
import { call, redundancyOf, score, stepsWith } from "./factories.ts";

const read = (path: string, more: object = {}, output = "text") =>
  call("Read", { file_path: path, ...more }, output);
const bash = (command: string, output = "") => call("bash", { command }, output);

describe("redundancy", () => {
  it("takes the whole point off a read that nothing made necessary", () => {
    expect(redundancyOf(stepsWith(read("a.py"), read("a.py")))).toEqual([1, 0]);
    expect(redundancyOf(stepsWith(read("a.py"), call("cat", { path: "./a.py" }, "text")))).toEqual([1, 0]);
  });

  it("takes most of the point off any other call made twice", () => {
    expect(redundancyOf(stepsWith(bash("ls", "x"), bash("ls", "x")))).toEqual([1, 0.3]);
    expect(redundancyOf(stepsWith(call("zzz", { q: 1 }), call("zzz", { q: 1 })))).toEqual([1, 0.3]);
  });

  it("sees no repetition in another line range of a file or another pattern", () => {
    const view = (range: readonly number[]) =>
      call("str_replace_editor", { command: "view", path: "/a.py", view_range: range });
    expect(redundancyOf(stepsWith(view([1, 9]), view([10, 19]), view([1, 9])))).toEqual([1, 1, 0]);
    const grep = (pattern: string) => call("Grep", { pattern, path: "/src" });
    expect(redundancyOf(stepsWith(grep("a"), grep("b"), grep("a")))).toEqual([1, 1, 0]);
    expect(redundancyOf(stepsWith(read("a", { offset: 0 }), read("a", { offset: 9 })))).toEqual([1, 1]);
  });

  it("lets tests be run again after an edit, but not twice without one", () => {
    const edit = call("Edit", { file_path: "/a.py", old_string: "1", new_string: "2" });
    expect(redundancyOf(stepsWith(bash("pytest -q"), edit, bash("pytest -q"), bash("pytest -q")))).toEqual([
      1, 1, 1, 0.3,
    ]);
  });

  it("does not take looking around between two test runs for a change", () => {
    const steps = stepsWith(
      bash("python -m pytest"),
      bash("git status && ls | head"),
      bash("python -m pytest"),
    );
    expect(redundancyOf(steps)).toEqual([1, 1, 0.3]);
  });

  it("lets a file be read again after a write to it under any name, and after shell changes", () => {
    const write = call("write_file", { path: "/repo/a.py", content: "x" });
    expect(redundancyOf(stepsWith(read("a.py"), write, read("a.py")))).toEqual([1, 1, 1]);
    expect(redundancyOf(stepsWith(read("b.py"), write, read("b.py")))).toEqual([1, 1, 0]);
    for (const command of ["sed -i s/1/2/ a.py", "echo x > a.py", "git checkout a.py", "python fix.py"]) {
      expect(redundancyOf(stepsWith(read("a.py"), bash(command), read("a.py")))).toEqual([1, 1, 1]);
    }
    for (const command of [
      "cat a.py 2>&1 | head",
      "grep -n 'x > y' a.py 2>/dev/null",
      "cd /repo && git diff",
    ]) {
      expect(redundancyOf(stepsWith(read("a.py"), bash(command), read("a.py")))).toEqual([1, 1, 0]);
    }
  });

  it("does not count a refused edit as a change", () => {
    const refused = call("Edit", { file_path: "a.py", old_string: "q", new_string: "r" }, "Error: not found");
    expect(redundancyOf(stepsWith(read("a.py"), refused, read("a.py")))).toEqual([1, 1, 0]);
  });

  it("forgives a call that brought a different answer", () => {
    expect(redundancyOf(stepsWith(read("a", {}, "one"), read("a", {}, "two")))).toEqual([1, 1]);
    expect(redundancyOf(stepsWith(bash("ps", "1"), bash("ps", "2")))).toEqual([1, 1]);
  });

  it("knows that a page changes by clicking and that waiting and scrolling are not repetition", () => {
    const text = call("extract_text", { element_id: "k" }, "x");
    const click = call("click", { element_id: "next" });
    const wait = call("wait", {});
    expect(redundancyOf(stepsWith(text, click, text, wait, wait, text), "browser")).toEqual([
      1, 1, 1, 1, 1, 0,
    ]);
    expect(redundancyOf(stepsWith(click, click), "browser")).toEqual([1, 0.3]);
  });

  it("finds the same arguments in any order of keys, nested ones included", () => {
    const steps = stepsWith(call("zzz", { o: { x: 1, y: [2] } }), call("zzz", { o: { y: [2], x: 1 } }));
    expect(redundancyOf(steps)).toEqual([1, 0.3]);
  });

  it("scores each call of a step and gives the step their mean", () => {
    const document = score([{ calls: [read("a"), read("b")] }, { calls: [read("a"), read("c")] }]);
    expect(document.steps[1]?.calls.map((each) => each.redundancy)).toEqual([0, 1]);
    expect(document.steps[1]?.total).toBe(0.5);
    expect(document.steps[1]?.reasons).toEqual([
      {
        call: 0,
        code: "repeated_read",
        message: "Read repeats step 0 and nothing changed in between",
        penalty: 1,
      },
    ]);
  });
});
