import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { Bench, batchTemplate, writeTemplate } from "./batch-runner.ts";

export const MAIN = resolve(import.meta.dirname, "../../infra/local/batch/main.ts");

const readySchema = z.object({ url: z.string(), logs: z.string() });

interface Facts {
  readonly stateFolder: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly maxVcpus?: number;
}

/** The runner as a program of its own, which a test can kill. */
export class RunnerProgram {
  readonly bench: Bench;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, bench: Bench) {
    this.child = child;
    this.bench = bench;
  }

  static async start({ stateFolder, args, env, maxVcpus = 4 }: Facts): Promise<RunnerProgram> {
    const child = spawn(
      process.execPath,
      [
        ...[MAIN, "--template", writeTemplate(batchTemplate({ maxVcpus })), "--state", stateFolder, ...args],
        ...["--min-timeout", "1", "--stop-timeout", "1", "--vcpus", "4"],
      ],
      { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    const lines = createInterface(child.stdout);
    const [line] = await once(lines, "line");
    const { url, logs } = readySchema.parse(JSON.parse(String(line)));
    return new RunnerProgram(child, new Bench({ url, logFolder: logs, stop: () => Promise.resolve() }));
  }

  /** Its exit code, once it has ended. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const exited = once(this.child, "exit");
    this.child.kill(signal);
    const [code] = await exited;
    return code;
  }
}
