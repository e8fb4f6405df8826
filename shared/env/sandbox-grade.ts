import { SandboxError } from "../ports/sandbox.ts";
import { filesOf, type SandboxTask } from "./sandbox-task.ts";
import { commandText, outputText } from "./sandbox-text.ts";
import { execute, shellCommand, type ToolContext } from "./sandbox-tools.ts";
import { testCounts } from "./test-counts.ts";

/** How work that was handed in did. */
export interface Grade {
  /** null where the task has no tests. */
  readonly success: boolean | null;
  /** Share of the tests that passed where they are counted, else 1 or 0; null where there are none. */
  readonly score: number | null;
  readonly testsPassed?: number;
  readonly testsFailed?: number;
  readonly exitCode?: number;
  /** What the tests printed; for people, agents are not shown it. */
  readonly output: string;
}

/** Enough for the summary of any test run. */
const MAX_TEST_OUTPUT = 1 << 20;

/**
 * Runs a task's tests on the workspace as it stands. Nothing that the agent left running sees them: its processes are
 * ended first, then the hidden files are written over whatever stands in their place. The tests get a home of their
 * own, so that settings the agent left in its home do not reach them.
 *
 * What this cannot rule out: code under test runs in the process of its tests, and could report in their name. Where
 * that matters, `min_tests_passed` and tests in a process of their own make it harder.
 */
export async function gradeWork(task: SandboxTask, context: ToolContext): Promise<Grade> {
  if (task.test_command === undefined) return { success: null, score: null, output: "" };
  await context.sandbox.endProcesses();
  try {
    await context.sandbox.put(filesOf(task.hidden_tests));
  } catch (error) {
    if (!(error instanceof SandboxError) || (error.reason !== "refused" && error.reason !== "failed"))
      throw error;
    return { success: false, score: 0, output: `the tests cannot be put in: ${error.message}` };
  }
  const wider = { ...context, maxOutputBytes: MAX_TEST_OUTPUT };
  const { result: made } = await execute({ command: ["mktemp", "-d"] }, wider);
  const home = new TextDecoder().decode(made.stdout).trim();
  const env = { PYTHONNOUSERSITE: "1", ...(home === "" ? {} : { HOME: home }) };
  const request = { command: shellCommand(task.test_command), env };
  const { result, timeoutMs } = await execute(request, wider);
  const { text, exitCode } = commandText(result, timeoutMs);
  const [out, err] = [
    outputText(result.stdout, result.dropped.stdout),
    outputText(result.stderr, result.dropped.stderr),
  ];
  const counts = testCounts(`${err}\n${out}`);
  const enough = task.min_tests_passed === undefined || (counts?.passed ?? 0) >= task.min_tests_passed;
  const success = exitCode === 0 && result.end.kind === "exit" && enough;
  const total = counts === undefined ? 0 : counts.passed + counts.failed;
  const share = counts === undefined || total === 0 ? 0 : counts.passed / total;
  return {
    success,
    score: success ? 1 : share === 1 ? 0 : share,
    ...(counts === undefined ? {} : { testsPassed: counts.passed, testsFailed: counts.failed }),
    exitCode,
    output: text,
  };
}
