import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { getDomainProfile } from "../../shared/domains/builtin.ts";
import type { CallFacts } from "../../shared/reward/call-facts.ts";
import type { RuleCall } from "../../shared/reward/rule-step.ts";
import { trajectoryFacts } from "../../shared/reward/trajectory-facts.ts";
import { call, stepsWith } from "./factories.ts";

const bash = (command: string, output = "", exitCode: number | null = null): RuleCall => ({
  ...call("bash", { command }, output),
  exitCode,
});

function factOf(one: RuleCall, domain = "coding"): CallFacts {
  const [facts] = trajectoryFacts(stepsWith(one), getDomainProfile(domain)).calls;
  if (facts === undefined) throw new Error("a step with one call has facts of one call");
  return facts;
}

describe("the role of a call", () => {
  it.each([
    ["read", bash("cat a.py")],
    ["search", bash("grep -rn foo .")],
    ["tests", bash("python -m pytest -q tests")],
    ["tests", bash("./check.sh", "3 passed in 0.1s")],
    ["command", bash("python reproduce.py")],
    ["edit", bash("cat > a.py <<'EOF'\nx = 1\nEOF")],
    ["edit", bash("sed -i 's/a/b/' x.py")],
    ["edit", call("edit", { command: "edit 3:4\nx\nend_of_edit" })],
    ["edit", call("str_replace_editor", { command: "str_replace", path: "/a", old_str: "x", new_str: "y" })],
    ["read", call("str_replace_editor", { command: "view", path: "/a" })],
    ["submit", call("submit")],
    ["submit", bash("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && git diff")],
    ["think", call("think", { thought: "hm" })],
    ["tool", call("cancel_reservation", { id: "A" })],
  ] as const)("is %s for what it does", (role, one) => {
    expect(factOf(one).role).toBe(role);
  });
});

describe("whether a call failed", () => {
  it.each([
    ["an exit code other than 0", bash("python x.py", "hello", 1), true],
    [
      "an exit code of 0, whatever the output says",
      bash("python x.py", "Traceback (most recent call last)", 0),
      false,
    ],
    ["a program that is not there", bash("foo", "bash: foo: command not found"), true],
    [
      "a traceback without an exit code",
      bash("python x.py", "a\nTraceback (most recent call last):\n  File"),
      true,
    ],
    [
      "a traceback in a file that was shown",
      bash("cat log", "Traceback (most recent call last):\n  File"),
      false,
    ],
    ["a file that is not there", bash("cat nope", "cat: nope: No such file or directory"), true],
    ["a search that found nothing", bash("grep x y", "", 1), false],
    ["a tool that answers with an error", call("get_user", { id: "1" }, "Error: user not found"), true],
    ["a tool that answers", call("get_user", { id: "1" }, '{"name": "error prone"}'), false],
    ["no output and no exit code", bash("python x.py"), null],
  ] as const)("%s", (_, one, failed) => {
    expect(factOf(one).failed).toBe(failed);
  });

  it("calls an edit refused that an editor would not make", () => {
    const edit = { path: "/a", command: "str_replace", old_str: "x", new_str: "y" };
    const refused = call(
      "str_replace_editor",
      edit,
      "No replacement was performed, old_str `x` did not appear verbatim",
    );
    expect(factOf(refused)).toMatchObject({ edit: "refused", failed: true });
    const lint =
      "Your proposed edit has introduced new syntax error(s). Please read this error message carefully";
    expect(factOf(call("edit", { command: "edit 1:1\nx\nend_of_edit" }, lint)).edit).toBe("refused");
    expect(factOf(call("str_replace_editor", edit, "The file /a has been edited.")).edit).toBe("applied");
  });
});

describe("test runs", () => {
  it("reads counts and a verdict", () => {
    expect(factOf(bash("pytest", "2 failed, 3 passed in 1s")).tests).toEqual({
      verdict: "failed",
      passed: 3,
      failed: 2,
    });
    expect(factOf(bash("pytest", "3 passed in 1s")).tests?.verdict).toBe("passed");
  });

  it("goes by the exit code where no counts are stated, and says unknown where there is none either", () => {
    expect(factOf(bash("pytest -q", "", 0)).tests?.verdict).toBe("passed");
    expect(factOf(bash("pytest -q", "", 2)).tests?.verdict).toBe("failed");
    expect(factOf(bash("pytest -q", "....")).tests?.verdict).toBe("unknown");
  });

  it("does not call a test run failed because tests failed in it", () => {
    expect(factOf(bash("pytest", "1 failed in 1s", 1)).failed).toBe(false);
    expect(factOf(bash("pytest", "bash: pytest: command not found", 127)).failed).toBe(true);
  });
});

describe("files that come and go", () => {
  it("names what was created and removed", () => {
    expect(factOf(bash("cat > ./a/repro.py <<'EOF'\nif x > y: pass\nEOF")).files.creates).toEqual([
      "a/repro.py",
    ]);
    expect(factOf(bash("echo hi > t.txt && python t.txt")).files.creates).toEqual(["t.txt"]);
    expect(factOf(bash("touch a.py b.py")).files.creates).toEqual(["a.py", "b.py"]);
    expect(factOf(call("create", { command: "create repro.py" })).files.creates).toEqual(["repro.py"]);
    expect(factOf(bash("rm -f a.py b.py; ls")).files.removes).toEqual(["a.py", "b.py"]);
  });

  it("does not take a comparison or an error stream for a file", () => {
    expect(factOf(bash("python -c 'print(1 > 2)' 2>&1")).files.creates).toEqual([]);
    expect(factOf(bash("cat x > /dev/null; make")).files.creates).toEqual([]);
  });
});

describe("near-identical calls", () => {
  it("are equal but for numbers, quotes and white space", () => {
    const one = factOf(bash("python  run.py --seed 1")).near;
    expect(factOf(bash('python run.py --seed "22"')).near).toBe(one);
    expect(factOf(bash("python walk.py --seed 1")).near).not.toBe(one);
  });

  it("keep numbers where they say what is read next", () => {
    expect(factOf(bash("sed -n 1,50p a.py")).near).not.toBe(factOf(bash("sed -n 50,99p a.py")).near);
  });
});

describe("facts of a step", () => {
  const profile = getDomainProfile("coding");

  it("measure the thought set apart, else the message beside the call", () => {
    const one = call("bash", { command: "12345" });
    const [apart, beside] = trajectoryFacts(
      [
        { calls: [one], thought: "abc", message: "long message" },
        { calls: [one], message: "ab 12345" },
      ],
      profile,
    ).steps;
    expect(apart).toMatchObject({ thoughtLength: 3, actionLength: 5 });
    expect(beside).toMatchObject({ thoughtLength: 3, actionLength: 5 });
  });

  it("hold for any log: as many facts as calls, in order, and the same every time", () => {
    const anyCall = fc.record({
      tool: fc.constantFrom("bash", "edit", "open", "submit", "frobnicate", ""),
      params: fc.dictionary(fc.constantFrom("command", "path", "file_text", "x"), fc.anything()),
      output: fc.string(),
      exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
    });
    fc.assert(
      fc.property(fc.array(fc.record({ calls: fc.array(anyCall, { maxLength: 3 }) })), (steps) => {
        const facts = trajectoryFacts(steps, profile);
        expect(facts.calls.map((each) => each.view.at.index)).toEqual(facts.calls.map((_, i) => i));
        expect(facts.calls.length).toBe(steps.reduce((sum, step) => sum + step.calls.length, 0));
        expect(trajectoryFacts(steps, profile)).toEqual(facts);
      }),
    );
  });
});
