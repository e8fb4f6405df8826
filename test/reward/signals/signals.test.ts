import { describe, expect, it } from "vitest";
import { call, stepsWith } from "../factories.ts";
import { bash, edit, saying, signalOf, submit } from "./factories.ts";

describe("efficiency", () => {
  const ofLength = (n: number): number =>
    signalOf("efficiency", stepsWith(...Array.from({ length: n }, () => bash("ls")))).score ?? -1;

  it("is a half at the typical length, keeps the order of lengths and never reaches 0", () => {
    expect(ofLength(15)).toBe(0.5);
    expect(ofLength(3)).toBeGreaterThan(ofLength(4));
    expect(ofLength(400)).toBeGreaterThan(ofLength(401));
    expect(ofLength(400)).toBeGreaterThan(0);
  });

  it("does not apply to a run without steps", () => {
    expect(signalOf("efficiency", [])).toMatchObject({ score: null, message: "" });
  });

  it("says what it measures against", () => {
    expect(signalOf("efficiency", stepsWith(submit)).message).toBe("1 steps; 15 are typical (built-in)");
  });
});

describe("verbosity", () => {
  it("falls with all the words of the run", () => {
    const few = [saying("x".repeat(100), bash("ls")), saying("x".repeat(100), submit)];
    const many = [saying("x".repeat(3_000), bash("ls")), saying("x".repeat(3_000), submit)];
    expect(signalOf("verbosity", few).score).toBeCloseTo(6_000 / 6_200, 10);
    expect(signalOf("verbosity", many).score).toBe(0.5);
  });

  it("does not apply where the log holds no thoughts", () => {
    expect(signalOf("verbosity", stepsWith(bash("ls"), submit)).score).toBeNull();
  });
});

describe("closing words", () => {
  it("are those of the last step alone", () => {
    const steps = [saying("x".repeat(9_999), bash("ls")), saying("x".repeat(400), submit)];
    expect(signalOf("closing_words", steps).score).toBe(0.5);
  });
});

describe("ending", () => {
  it("is good where the agent handed in, or spoke last", () => {
    expect(signalOf("ending", stepsWith(bash("ls"), submit)).score).toBe(1);
    expect(signalOf("ending", [saying("a", bash("ls")), saying("Done.")]).score).toBe(1);
  });

  it("is bad where a coding run ends in the middle of work", () => {
    expect(signalOf("ending", stepsWith(bash("ls"), edit("/a.py")))).toMatchObject({
      score: 0,
      message: "ends with step 1 in the middle of work",
    });
  });

  it("is bad where the last thing said was refused", () => {
    const last = {
      message: "patch",
      calls: [],
      replies: ["Your edit could not be applied. Please try again."],
    };
    expect(signalOf("ending", [last], "generic").score).toBe(0);
    expect(signalOf("ending", [{ ...last, replies: ["Thanks a lot!"] }], "generic").score).toBe(1);
  });
});

describe("refused replies", () => {
  it("are a share of the steps that were answered", () => {
    const step = (reply: string): { message: string; calls: []; replies: string[] } => ({
      message: "m",
      calls: [],
      replies: [reply],
    });
    const steps = [step("ok"), step("The call is not valid."), step("fine"), step("good")];
    expect(signalOf("refused_replies", steps, "generic")).toMatchObject({
      score: 0.75,
      message: "step 1 answered by a refusal",
    });
  });

  it("do not apply where nobody answers in words", () => {
    expect(signalOf("refused_replies", stepsWith(bash("ls"))).score).toBeNull();
  });
});

describe("no change", () => {
  const trial = bash("cat > reproduce_bug.py <<'EOF'\nprint(1)\nEOF");

  it("is bad where nothing was changed, or only the agent's own trials", () => {
    expect(signalOf("no_change", stepsWith(bash("cat a.py"), submit)).score).toBe(0);
    const trials = stepsWith(trial, bash("python reproduce_bug.py"), submit);
    expect(signalOf("no_change", trials)).toMatchObject({
      score: 0,
      message: "only trial files of the agent's own were changed",
    });
  });

  it("is good where a file that was there was edited, or a new one that is no trial was made", () => {
    expect(signalOf("no_change", stepsWith(trial, edit("/src/a.py"), submit)).score).toBe(1);
    expect(signalOf("no_change", stepsWith(bash("cat > server.py <<'EOF'\nx\nEOF"), submit)).score).toBe(1);
  });

  it("does not count an edit that was refused", () => {
    expect(
      signalOf("no_change", stepsWith(edit("/src/a.py", "No replacement was performed"), submit)).score,
    ).toBe(0);
  });

  it("does not apply where a command may have changed files unseen, or the domain is another", () => {
    expect(signalOf("no_change", stepsWith(bash("python modify_core.py"), submit)).score).toBeNull();
    expect(signalOf("no_change", stepsWith(call("get_user")), "conversation").score).toBeNull();
  });

  it("goes by the patch that handing in printed", () => {
    const printed = (file: string): ReturnType<typeof call> =>
      call("submit", {}, `diff --git a/${file} b/${file}\nindex 1..2\n`);
    expect(signalOf("no_change", stepsWith(bash("python x.py"), printed("src/core.py"))).score).toBe(1);
    expect(signalOf("no_change", stepsWith(edit("/src/core.py"), printed("reproduce.py"))).score).toBe(0);
  });
});

describe("leftover files", () => {
  const made = bash("cat > repro.py <<'EOF'\nx\nEOF");

  it("are trial files that nobody removed", () => {
    expect(signalOf("leftover_files", stepsWith(made, submit))).toMatchObject({
      score: 0.5,
      message: "1 trial file of step 0 left behind",
    });
    expect(signalOf("leftover_files", stepsWith(made, bash("rm -f repro.py"), submit)).score).toBe(1);
    expect(signalOf("leftover_files", stepsWith(made, bash("rm -f repro*"), submit)).score).toBe(1);
  });

  it("are told but do not count by default: what is a trial in one task is the solution in another", () => {
    expect(signalOf("leftover_files", stepsWith(made, submit)).weight).toBe(0);
  });
});

describe("rejected edits", () => {
  const refused = edit("/a.py", "Your proposed edit has introduced new syntax error(s).");

  it("forgives two and counts the rest", () => {
    expect(signalOf("rejected_edits", stepsWith(refused, refused, edit("/a.py"))).score).toBe(1);
    expect(signalOf("rejected_edits", stepsWith(refused, refused, refused, edit("/a.py")))).toMatchObject({
      score: 0.75,
      message: "3 of 4 edits refused: steps 0, 1, 2",
    });
  });

  it("does not apply where nothing was edited", () => {
    expect(signalOf("rejected_edits", stepsWith(bash("ls"))).score).toBeNull();
  });
});

describe("failing calls", () => {
  it("are commands and tools that failed, not tests", () => {
    const steps = stepsWith(bash("make", "", 2), bash("python a.py"), bash("pytest", "1 failed", 1));
    expect(signalOf("failing_calls", steps)).toMatchObject({
      score: 0.5,
      message: "1 of 2 calls failed: step 0",
    });
  });

  it("are tool errors where no profile knows the tools", () => {
    const steps = stepsWith(
      call("cancel_order", { id: 1 }, "Error: order not found"),
      call("get_order", {}, "{}"),
    );
    expect(signalOf("failing_calls", steps, "conversation").score).toBe(0.5);
  });
});

describe("last result", () => {
  it("is that of the last test run or command", () => {
    expect(signalOf("last_result", stepsWith(bash("pytest", "1 failed, 2 passed"), submit)).score).toBe(0);
    const mended = stepsWith(bash("pytest", "1 failed"), edit("/a.py"), bash("pytest", "3 passed"), submit);
    expect(signalOf("last_result", mended)).toMatchObject({
      score: 1,
      message: "last test run (step 2) went well",
    });
    expect(signalOf("last_result", stepsWith(bash("cat a.py"), submit)).score).toBeNull();
  });
});

describe("thrash", () => {
  it("is calling nearly the same again with nothing changed in between", () => {
    const steps = stepsWith(bash("python run.py --seed 1"), bash("python run.py --seed 2"), bash("ls"));
    expect(signalOf("thrash", steps)).toMatchObject({
      score: 1 - 1 / 3,
      message: "1 of 3 calls nearly repeat an earlier one: step 1",
    });
  });

  it("is not trying again after an edit, reading on, or running tests again", () => {
    const again = bash("python run.py");
    expect(signalOf("thrash", stepsWith(again, edit("/a.py"), again)).score).toBe(1);
    expect(signalOf("thrash", stepsWith(bash("sed -n 1,9p a"), bash("sed -n 9,19p a"))).score).toBe(1);
    expect(signalOf("thrash", stepsWith(bash("pytest"), bash("pytest"), bash("ls"))).score).toBe(1);
  });
});
