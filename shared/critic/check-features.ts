import type { CallFacts, TestRun } from "../reward/call-facts.ts";
import type { CriticStep } from "./critic-step.ts";
import { type FeatureGroup, type FeatureGroupSpec, flag, logOf, share } from "./feature-group.ts";

/** Whether the work was tried out, how that went, and how long ago anything moved. */
export const checkFeatures: FeatureGroupSpec = {
  features: [
    ["tests_run", "ln(1 + test runs)"],
    ["tests_any", "there was a test run"],
    ["tests_last_passed", "the last test run with a verdict passed", "up"],
    ["tests_last_failed", "the last test run with a verdict failed", "down"],
    ["tests_last_rate", "tests passed ÷ tests of the last run with counts; 0.5 without one", "up"],
    ["tests_last_failures", "ln(1 + tests that failed in the last run with counts)", "down"],
    ["tests_failed_share", "test runs that failed ÷ test runs with a verdict", "down"],
    ["tests_turned_green", "a failed test run was followed by one that passed", "up"],
    ["tests_turned_red", "a passed test run was followed by one that failed", "down"],
    ["tests_after_edit", "ln(1 + test runs since the last edit that was made)"],
    ["tests_passed_after_edit", "a test run passed since the last edit that was made", "up"],
    [
      "tests_failed_after_edit",
      "the last verdict since the last edit that was made is that tests failed",
      "down",
    ],
    ["commands_after_edit", "ln(1 + commands since the last edit that was made)"],
    ["command_fine_after_edit", "a command or test run did not fail since the last edit that was made", "up"],
    ["command_bad_after_edit", "the last command or test run since that edit failed", "down"],
    ["checked_before_edit", "a command or test run came before the first edit that was made"],
    ["failed_then_fine", "a command failed, and a nearly equal one later did not"],
    [
      "edits_checked_share",
      "edits made that a command or test run followed before the next edit ÷ edits made",
      "up",
    ],
    [
      "steps_since_progress",
      "ln(1 + steps since something new was read, an edit was made or a check came out better)",
      "down",
    ],
    ["progress_share", "share of steps with such progress", "up"],
    ["new_looks_share", "reads and searches that brought something new ÷ reads and searches", "up"],
  ],
  create: () => new CheckGroup(),
};

class CheckGroup implements FeatureGroup {
  #steps = 0;
  readonly #tests = new TestHistory();
  readonly #afterEdit = new SinceEdit();
  #edits = 0;
  #editsChecked = 0;
  #openEdit = false;
  #checkedBefore = false;
  #looks = 0;
  #newLooks = 0;
  readonly #seen = new Set<string>();
  readonly #failedKeys = new Set<string>();
  #failedThenFine = false;
  #sinceProgress = 0;
  #progressSteps = 0;

  add({ facts: step }: CriticStep): void {
    this.#steps++;
    let progress = false;
    for (const call of step.calls) if (this.#call(call)) progress = true;
    if (progress) this.#progressSteps++;
    this.#sinceProgress = progress ? 0 : this.#sinceProgress + 1;
  }

  /** Whether the call moved anything. */
  #call(call: CallFacts): boolean {
    const { view, role, failed } = call;
    if (role === "edit") {
      if (call.edit !== "applied") return false;
      this.#edits++;
      this.#openEdit = true;
      this.#afterEdit.edited();
      return true;
    }
    if (role === "tests" || role === "command" || role === "tool") {
      const better = call.tests !== null && this.#tests.add(call.tests);
      this.#afterEdit.checked(call);
      if (role !== "tool") {
        if (this.#edits === 0) this.#checkedBefore = true;
        if (this.#openEdit) this.#editsChecked++;
        this.#openEdit = false;
      }
      const mended = failed === false && this.#failedKeys.has(call.near);
      if (failed === true) this.#failedKeys.add(call.near);
      if (mended) this.#failedThenFine = true;
      return better || mended || (role === "tool" && failed !== true && this.#isNew(view.key));
    }
    if (role !== "read" && role !== "search" && role !== "navigate") return false;
    const isNew = failed !== true && view.at.output.trim() !== "" && this.#isNew(view.key);
    if (role !== "navigate") {
      this.#looks++;
      if (isNew) this.#newLooks++;
    }
    return isNew;
  }

  #isNew(key: string): boolean {
    const before = this.#seen.size;
    return this.#seen.add(key).size > before;
  }

  values(): readonly number[] {
    return [
      ...this.#tests.values(),
      ...this.#afterEdit.values(),
      flag(this.#checkedBefore),
      flag(this.#failedThenFine),
      share(this.#editsChecked, this.#edits),
      logOf(this.#sinceProgress),
      share(this.#progressSteps, this.#steps),
      share(this.#newLooks, this.#looks),
    ];
  }
}

class TestHistory {
  #runs = 0;
  #verdicts = 0;
  #failedRuns = 0;
  #last: "passed" | "failed" | null = null;
  #rate: number | null = null;
  #failures = 0;
  #green = false;
  #red = false;
  #best = -1;

  /** Whether it came out better than any before. */
  add(run: TestRun): boolean {
    this.#runs++;
    if (run.verdict !== "unknown") {
      this.#verdicts++;
      if (run.verdict === "failed") this.#failedRuns++;
      if (this.#last === "failed" && run.verdict === "passed") this.#green = true;
      if (this.#last === "passed" && run.verdict === "failed") this.#red = true;
      this.#last = run.verdict;
    }
    const { passed, failed } = run;
    const total = (passed ?? 0) + (failed ?? 0);
    if (total > 0) {
      this.#rate = (passed ?? 0) / total;
      this.#failures = failed ?? 0;
    }
    const worth = total > 0 ? (passed ?? 0) / total : run.verdict === "passed" ? 1 : 0;
    const better = worth > this.#best;
    this.#best = Math.max(this.#best, worth);
    return better;
  }

  values(): readonly number[] {
    return [
      logOf(this.#runs),
      flag(this.#runs > 0),
      flag(this.#last === "passed"),
      flag(this.#last === "failed"),
      this.#rate ?? 0.5,
      logOf(this.#failures),
      share(this.#failedRuns, this.#verdicts),
      flag(this.#green),
      flag(this.#red),
    ];
  }
}

/** What came after the last edit that was made; nothing counts before there is one. */
class SinceEdit {
  #isAfter = false;
  #tests = 0;
  #passed = false;
  #lastVerdictFailed = false;
  #commands = 0;
  #fine = false;
  #lastBad = false;

  edited(): void {
    this.#isAfter = true;
    this.#tests = 0;
    this.#passed = false;
    this.#lastVerdictFailed = false;
    this.#commands = 0;
    this.#fine = false;
    this.#lastBad = false;
  }

  checked({ role, tests, failed }: CallFacts): void {
    if (!this.#isAfter || role === "tool") return;
    const bad = failed === true || tests?.verdict === "failed";
    if (tests !== null) {
      this.#tests++;
      if (tests.verdict === "passed") this.#passed = true;
      if (tests.verdict !== "unknown") this.#lastVerdictFailed = tests.verdict === "failed";
    } else this.#commands++;
    if (!bad && failed !== null) this.#fine = true;
    this.#lastBad = bad;
  }

  values(): readonly number[] {
    return [
      logOf(this.#tests),
      flag(this.#passed),
      flag(this.#lastVerdictFailed),
      logOf(this.#commands),
      flag(this.#fine),
      flag(this.#lastBad),
    ];
  }
}
