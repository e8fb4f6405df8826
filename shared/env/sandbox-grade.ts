import { SandboxError } from "../ports/sandbox.ts";
import type { Verdict } from "./protocol.ts";
import { filesOf, type SandboxTask } from "./sandbox-task.ts";
import { commandText, outputText } from "./sandbox-text.ts";
import { execute, shellCommand, type ToolContext } from "./sandbox-tools.ts";
import { testCounts } from "./test-counts.ts";

/** How work did, with what people may want to see of it; agents are shown none. */
export interface Grade extends Verdict {
  readonly testExitCode?: number;
  readonly testOutput?: string;
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
  if (task.test_command === undefined) return { success: null, score: null };
  await context.sandbox.endProcesses();
  try {
    await context.sandbox.put(filesOf(task.hidden_tests));
  } catch (error) {
    if (!(error instanceof SandboxError) || (error.reason !== "refused" && error.reason !== "failed"))
      throw error;
    return { success: false, score: 0, reward: 0, unmet: [`the tests cannot be put in: ${error.message}`] };
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
  const unmet = [
    ...(exitCode === 0 ? [] : [`the tests end with exit code ${exitCode}`]),
    ...(enough ? [] : [`${counts?.passed ?? 0} tests passed, ${task.min_tests_passed} are asked for`]),
  ];
  return {
    success,
    // All that were counted passed, and yet it is no success: the count does not tell the whole.
    score: success ? 1 : share === 1 ? 0 : share,
    reward: success ? 1 : 0,
    ...(success ? {} : { unmet }),
    ...(counts === undefined ? {} : { tests: counts }),
    testExitCode: exitCode,
    testOutput: text,
  };
}
