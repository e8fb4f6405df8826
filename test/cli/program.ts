import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const MAIN = resolve(import.meta.dirname, "../../containers/gymline/main.ts");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface ProgramOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  /** Beside those of this process; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Kills the program. */
  readonly signal?: AbortSignal;
  /** Sends SIGTERM once standard error holds this. */
  readonly stopAt?: string;
}

/** Runs the real program in a process of its own, without colours. */
export function gymline(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return ended(process.execPath, [MAIN, ...args], options);
}

/** A shell line in which `gymline` is the program. */
export function shell(line: string, options: { readonly cwd?: string } = {}): Promise<Ended> {
  const script = `set -o pipefail; gymline() { "${process.execPath}" "${MAIN}" "$@"; }; ${line}`;
  return ended("bash", ["-c", script], options);
}

function ended(command: string, args: readonly string[], options: ProgramOptions): Promise<Ended> {
  const { promise, resolve: settle, reject } = Promise.withResolvers<Ended>();
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, ...options.env };
  const child = spawn(command, [...args], { cwd: options.cwd ?? temporaryFolder("cli"), env });
  options.signal?.addEventListener("abort", () => child.kill("SIGKILL"));
  const pieces: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] };
  child.stdout.on("data", (chunk: Buffer) => pieces.stdout.push(chunk));
  let isStopped = false;
  child.stderr.on("data", (chunk: Buffer) => {
    pieces.stderr.push(chunk);
    if (options.stopAt === undefined || isStopped) return;
    isStopped = Buffer.concat(pieces.stderr).includes(options.stopAt);
    if (isStopped) child.kill("SIGTERM");
  });
  child.on("error", reject);
  child.on("close", (code) => {
    const [stdout, stderr] = [pieces.stdout, pieces.stderr].map((all) => Buffer.concat(all).toString("utf8"));
    settle({ code, stdout: stdout ?? "", stderr: stderr ?? "" });
  });
  child.stdin.end(options.stdin ?? "");
  return promise;
}

/** A folder with two good logs, one of them in a folder of its own, as JSON Lines. */
export function goodLogs(): string {
  const folder = temporaryFolder("cli");
  writeFileSync(
    join(folder, "one.json"),
    chatRow({ prompt: "What does a.txt say? Write to ann@firm.example.com" }),
  );
  writeFileSync(
    join(folder, "two.jsonl"),
    `${chatRow({ prompt: "What is in it?" })}\n${chatRow({ prompt: "And in there?" })}\n`,
  );
  return folder;
}

/** Good logs and a broken line. */
export function mixedLogs(): string {
  const folder = goodLogs();
  writeFileSync(
    join(folder, "broken.jsonl"),
    `${chatRow({ prompt: "Before" })}\n{"messages": [\n${chatRow({ prompt: "After" })}\n`,
  );
  return folder;
}
