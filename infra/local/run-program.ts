import { spawn } from "node:child_process";

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly withinMs: number;
  /** Ends the program early. */
  readonly signal?: AbortSignal | undefined;
}

/** A program failed, ran out of time or was broken off. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
  /** What the program printed, stdout and stderr together; the end of it where it is long. */
  readonly output: string;
  constructor(fate: string, output: string, options?: ErrorOptions) {
    super(fate, options);
    this.output = output;
  }
}

const OUTPUT_LENGTH = 200_000;

/**
 * Runs a program and what it starts in a group of their own, so that they end together when the time is up.
 * @returns what it printed, stdout and stderr together; the end of it where it is long
 * @throws ProgramError
 */
export async function runProgram(run: ProgramRun): Promise<string> {
  const child = spawn(run.command, run.args, {
    cwd: run.cwd,
    env: run.env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const take = (chunk: string) => {
    output = (output + chunk).slice(-OUTPUT_LENGTH);
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);

  let brokenOff: string | undefined;
  const end = (reason: string) => {
    brokenOff = reason;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  const timer = setTimeout(() => end(`did not end within ${run.withinMs / 1000} s`), run.withinMs);
  const abort = () => end("was broken off");
  run.signal?.addEventListener("abort", abort);
  try {
    const status = await new Promise<number | null>((settle, fail) => {
      child.once("error", fail);
      child.once("close", settle);
    });
    if (status === 0) return output;
    throw new ProgramError(brokenOff ?? `ended with exit status ${status}`, output);
  } finally {
    clearTimeout(timer);
    run.signal?.removeEventListener("abort", abort);
  }
}
