import { spawn } from "node:child_process";

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Ends the program early: a time limit, or the wish of the user. */
  readonly signal: AbortSignal;
}

/** A program failed, ran out of time or was broken off. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
  /** What the program printed, stdout and stderr together; the end of it where it is long. */
  readonly output: string;
  constructor(fate: string, output: string) {
    super(fate);
    this.output = output;
  }
}

const OUTPUT_LENGTH = 200_000;

/**
 * Runs a program and what it starts in a group of their own, so that they end together when the signal comes.
 * @returns what it printed, stdout and stderr together; the end of it where it is long
 * @throws ProgramError
 */
export async function runProgram({ command, args, env, cwd, signal }: ProgramRun): Promise<string> {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_LENGTH);
    });
  }
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  try {
    const status = await new Promise<number | null>((settle, fail) => {
      child.once("error", fail);
      child.once("close", settle);
    });
    if (status === 0) return output;
    throw new ProgramError(signal.aborted ? fateOf(signal) : `ended with exit status ${status}`, output);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function fateOf({ reason }: AbortSignal): string {
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? "ran out of time"
    : "was broken off";
}
