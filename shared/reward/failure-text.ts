/**
 * Says from its output alone whether a call failed, for logs that carry no exit code.
 *
 * Covers: shells, Python, Node, compilers and package managers, git, timeouts, and tools that answer with an
 * error instead of a result. Does not cover: programs that fail silently or in other languages.
 */

/** Errors stand at the start (the program did not run) or at the end (it ended by one); the middle is data. */
const head = 400;
const tail = 1_500;

/** The program was not there, could not start, or could not read what it was told to. Holds for readers too. */
const notRun =
  /^.{0,200}(?:: command not found|: No such file or directory|: Permission denied|: Is a directory|: not a directory|: cannot access)|^(?:usage|Usage): |^fatal: |unexpected EOF while looking for|syntax error near unexpected token|^.{0,40}can't open file/m;

/** Stands in every text that `notRun` fits, and is found in half the time. */
const mayNotRun =
  /: (?:command not found|No such file or directory|Permission denied|Is a directory|not a directory|cannot access)|^(?:usage|Usage|fatal): |unexpected EOF while looking for|syntax error near unexpected token|can't open file/m;

/** How a program that ran says that it ended badly. In a file that was only shown, these are text. */
const endedBadly =
  /^Traceback \(most recent call last\)|^[\w.]*(?:Error|Exception): |^(?:error|ERROR|Error)(?:\[\w+\])?:? |^npm (?:ERR!|error)|^make(?:\[\d+\])?: \*\*\*|^FAILED\b|Segmentation fault|core dumped|^Killed$|panic: |[Cc]ompilation (?:failed|error)|E: Unable to locate package|No module named |exit(?:ed with)? (?:code|status):? [1-9]/m;

const timedOut =
  /EXECUTION TIMED OUT|command timed out|timed out after \d|Timeout(?:Expired| exceeded)|The command timed out|was cancelled because it took more than/i;

/** The same for `timedOut`. */
const mayBeTimedOut = /timed out|timeoutexpired|timeout exceeded|took more than/i;

/** Tools that answer with an error, as conversation and API tools do. */
const toolError =
  /^\s*(?:\{\s*"(?:error|status)"\s*:\s*"(?!ok|success|200)|<tool_use_error>|errors?\b\s*[:-]|error executing |failed to |exception\b|invalid |unknown (?:tool|function|action)|[\w ]{1,60}\bnot found\b)/i;

export function looksNotRun(output: string): boolean {
  const start = output.slice(0, head);
  if (mayNotRun.test(start) && notRun.test(start)) return true;
  const end = endOf(output);
  return mayBeTimedOut.test(end) && timedOut.test(end);
}

export function looksEndedBadly(output: string): boolean {
  return endedBadly.test(output.slice(0, head)) || endedBadly.test(endOf(output));
}

export function looksLikeToolError(output: string): boolean {
  return toolError.test(output.slice(0, head));
}

function endOf(output: string): string {
  return output.length > tail ? output.slice(-tail) : output;
}
