import type { ExecResult } from "../ports/sandbox.ts";

const decoder = new TextDecoder();

export interface Shown {
  readonly text: string;
  readonly exitCode: number;
  readonly error?: string;
  /** Why it was refused as unsafe: a path that leads out of the workspace. */
  readonly violation?: string;
}

/** Exit codes of what has none of its own, as the program `timeout` and the shell give them. */
export const TIMED_OUT = 124;
export const KILLED = 137;

/** Output as text: what was left out is said where it stood. */
export function outputText(bytes: Uint8Array, dropped: number): string {
  if (dropped === 0) return decoder.decode(bytes);
  const middle = Math.ceil(bytes.length / 2);
  const [head, tail] = [decoder.decode(bytes.subarray(0, middle)), decoder.decode(bytes.subarray(middle))];
  return `${head}\n[… ${dropped} bytes left out …]\n${tail}`;
}

/** What an agent sees of a command: stdout, stderr, how it ended. */
export function commandText(result: ExecResult, timeoutMs: number): Shown {
  const { end, dropped } = result;
  const out = outputText(result.stdout, dropped.stdout);
  const err = outputText(result.stderr, dropped.stderr);
  const parts = [out, err === "" ? "" : `[stderr]\n${err}`].filter((part) => part !== "").map(withNewline);
  const show = (how: string, rest: Omit<Shown, "text">): Shown => ({
    text: `${parts.join("")}[${how}]`,
    ...rest,
  });
  switch (end.kind) {
    case "exit":
      return show(`exit code ${end.code}`, { exitCode: end.code });
    case "timeout": {
      const how = `timed out after ${timeoutMs / 1000} s; every process was ended`;
      return show(how, { exitCode: TIMED_OUT, error: "timeout" });
    }
    case "out-of-memory":
      return show("ended for want of memory", { exitCode: KILLED, error: "out of memory" });
  }
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
