import { type CallView, normalPath } from "./call-view.ts";
import { looksEndedBadly, looksLikeToolError, looksNotRun } from "./failure-text.ts";
import { commandOf, type FileTraces, fileTraces } from "./file-traces.ts";
import { nearKey } from "./near-key.ts";
import { readTestCounts } from "./test-results.ts";
import { wasRefused } from "./write-refused.ts";

/**
 * What one call was about. `command`: a shell command or program that is none of the others. `tool`: a tool
 * no profile knows, as agents of APIs and support desks have.
 */
export type CallRole =
  | "read"
  | "search"
  | "edit"
  | "tests"
  | "command"
  | "submit"
  | "think"
  | "say"
  | "navigate"
  | "tool";

/** One call with what its result says. All of it comes from the log; nothing is guessed beyond patterns. */
export interface CallFacts {
  readonly view: CallView;
  readonly role: CallRole;
  /** Null for a call that edits nothing. A refused edit changed nothing. */
  readonly edit: "applied" | "refused" | null;
  /** Set for test runs. Counts are null where the output states none. */
  readonly tests: TestRun | null;
  /**
   * Whether a command, tool or edit failed. Null where nothing tells: no output and no exit code, or a call
   * that cannot fail. A test run that ran has not failed, whatever the tests say.
   */
  readonly failed: boolean | null;
  readonly files: FileTraces;
  /** The file an edit was made to, as far as the log shows it; "" where it does not. */
  readonly edited: string;
  /** Equal for near-identical calls. */
  readonly near: string;
}

export interface TestRun {
  readonly verdict: "passed" | "failed" | "unknown";
  readonly passed: number | null;
  readonly failed: number | null;
}

const editWords = /^\s*(?:edit|insert|create|str_replace_editor|applypatch|apply_patch)\b/;
const submitWords =
  /^\s*(?:submit|exit)\s*$|COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT|MINI_SWE_AGENT_FINAL_OUTPUT/;
/** How editors say no, beyond what `wasRefused` knows. */
const refusedEdit =
  /Your proposed edit has introduced new syntax error|did not appear verbatim|No replacement was performed|Multiple occurrences of|Hunk #\d+ FAILED|patch does not apply|patch failed:|String to replace not found|can't find .{0,40}file|is not unique in|Text not found|No changes made|No file open/i;

/** Facts of all calls, in order. One pass, linear in the size of the calls. Pure. */
export function callFacts(views: readonly CallView[]): readonly CallFacts[] {
  let shown = "";
  return views.map((view) => {
    const facts = factsOf(view, shown);
    shown = shownFile(view.at.output) ?? shown;
    return facts;
  });
}

/** Editors that work on an open file name it above what they show. */
function shownFile(output: string): string | null {
  const file = /^\s*\[File: (\S{1,1000}) \(\d/.exec(output.slice(0, 1_100))?.[1];
  return file === undefined ? null : normalPath(file);
}

function factsOf(view: CallView, shown: string): CallFacts {
  const role = roleOf(view);
  const tests = role === "tests" ? testRunOf(view) : null;
  const edit = role === "edit" ? editOf(view) : null;
  return {
    view,
    role,
    edit,
    tests,
    failed: edit === null ? failureOf(view, role, tests) : edit === "refused",
    files: role === "edit" || role === "command" || role === "tests" ? fileTraces(view) : noFiles,
    edited: edit === null ? "" : editedFile(view, shown),
    near: nearKey(view),
  };
}

const noFiles: FileTraces = Object.freeze({ creates: [], removes: [] });

function roleOf(view: CallView): CallRole {
  const { kind } = view;
  if (kind === "submit" || kind === "think" || kind === "navigate") return kind;
  if (kind === "unknown") return "tool";
  if (kind === "read" || kind === "search") return kind;
  if (kind === "write") {
    if (view.effect === "none") return "say";
    return "edit";
  }
  const command = commandOf(view);
  if (submitWords.test(command)) return "submit";
  if (view.shell === "tests") return "tests";
  if (view.shell === "looks")
    return /^\s*(?:\w+=\S* )*(?:grep|rg|ag|find|fd|search_\w+|find_file)\b/.test(command) ? "search" : "read";
  if (view.edits.length > 0 || editWords.test(command) || /\bsed -i\b/.test(command)) return "edit";
  // A program that reports test counts was a test run, whatever it is called.
  return view.shell !== null && readTestCounts(view.at.output) !== null ? "tests" : "command";
}

function editedFile(view: CallView, shown: string): string {
  const [created] = fileTraces(view).creates;
  if (created !== undefined) return created;
  if (view.target !== "") return view.target;
  for (const edit of view.edits) if (edit.target !== "") return edit.target;
  return editedInPlace(commandOf(view)) ?? shown;
}

/** The last word of `sed -i …`. */
function editedInPlace(command: string): string | null {
  const at = command.indexOf("sed -i");
  if (at < 0) return null;
  const [line = ""] = command.slice(at, at + 2_000).split(/\n|;|&&| \| /, 1);
  const file = line.trim().split(/\s+/).at(-1) ?? "";
  return /^[\w./~-]+$/.test(file) ? normalPath(file) : null;
}

function editOf(view: CallView): "applied" | "refused" {
  const { output, exitCode } = view.at;
  if (view.kind === "write" && wasRefused(view)) return "refused";
  if (exitCode !== null && exitCode !== 0) return "refused";
  if (refusedEdit.test(output.slice(0, 1_000))) return "refused";
  return view.kind === "execute" && exitCode === null && looksNotRun(output) ? "refused" : "applied";
}

function testRunOf(view: CallView): TestRun {
  const { output, exitCode } = view.at;
  const counts = readTestCounts(output);
  if (counts !== null) {
    const bad = counts.failed > 0 || (counts.passed === 0 && exitCode !== null && exitCode !== 0);
    return {
      verdict: bad ? "failed" : counts.passed > 0 ? "passed" : "unknown",
      passed: counts.passed,
      failed: counts.failed,
    };
  }
  const bad = exitCode === null ? looksNotRun(output) || looksEndedBadly(output) : exitCode !== 0;
  const verdict = bad ? "failed" : exitCode === 0 ? "passed" : "unknown";
  return { verdict, passed: null, failed: null };
}

function failureOf(view: CallView, role: CallRole, tests: TestRun | null): boolean | null {
  const { output, exitCode } = view.at;
  switch (role) {
    case "submit":
    case "think":
    case "say":
      return null;
    case "tests":
      return tests?.passed === null && tests.failed === null && looksNotRun(output);
    case "read":
    case "search":
      // grep, diff and test answer 1 for "no": that is an answer.
      if (exitCode !== null && exitCode !== 0) return exitCode > 1 || looksNotRun(output);
      return view.shell === null ? looksNotRun(output) || looksLikeToolError(output) : looksNotRun(output);
    case "command":
      if (exitCode !== null) return exitCode !== 0;
      return output === "" ? null : looksNotRun(output) || looksEndedBadly(output);
    default:
      if (exitCode !== null) return exitCode !== 0;
      return output === "" ? null : looksLikeToolError(output);
  }
}
