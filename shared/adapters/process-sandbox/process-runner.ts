import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { SandboxError } from "../../ports/sandbox.ts";
import { Quiet } from "../sandbox-files/quiet.ts";
import type { RunEnd, Runner, RunRequest } from "../sandbox-files/runner.ts";

/** Of a command that has ended while something it left running holds its output open. */
const SILENCE_MS = 250;

/** How a command line becomes one that runs in the sandbox. */
export type Wrap = (request: RunRequest) => {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Folder of the host. */
  readonly cwd: string;
};

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Runs commands as child processes of this program. */
export class ProcessRunner implements Runner {
  readonly #wrap: Wrap;
  readonly #removeFolder: () => Promise<void>;
  readonly #children = new Set<Child>();

  constructor({ wrap, remove }: { readonly wrap: Wrap; readonly remove: () => Promise<void> }) {
    this.#wrap = wrap;
    this.#removeFolder = remove;
  }

  async run(request: RunRequest): Promise<RunEnd> {
    request.signal?.throwIfAborted();
    const child = await this.#start(request);
    const ended = new Promise<number>((resolve) => {
      child.once("exit", (code, signal) => resolve(code ?? 128 + numberOf(signal)));
    });
    const quiet = new Quiet();
    const stopped = new AbortController();
    const output = Promise.all([
      drain(child.stdout, request.onStdout, quiet),
      drain(child.stderr, request.onStderr, quiet),
    ]).then(() => undefined);
    // Looked at below; until then a failure must not count as nobody's.
    output.catch(() => undefined);
    feed(child.stdin, request.stdin);
    const timer = AbortSignal.timeout(Math.max(1, Math.round(request.timeoutMs)));
    const cut = request.signal === undefined ? timer : AbortSignal.any([timer, request.signal]);
    const stop = (): void => kill(child);
    cut.addEventListener("abort", stop, { once: true });
    try {
      const failed = output.then(() => new Promise<never>(() => undefined));
      const code = await Promise.race([ended, failed]);
      await Promise.race([output, quiet.for(SILENCE_MS, stopped.signal)]);
      request.signal?.throwIfAborted();
      return cut.aborted ? { kind: "timeout" } : { kind: "exit", code };
    } finally {
      stopped.abort();
      cut.removeEventListener("abort", stop);
      kill(child);
      this.#children.delete(child);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    }
  }

  async endProcesses(): Promise<void> {
    for (const child of this.#children) kill(child);
  }

  async memoryKills(): Promise<number | null> {
    return null;
  }

  async refusedTargets(): Promise<readonly never[]> {
    return [];
  }

  async remove(): Promise<void> {
    await this.endProcesses();
    await this.#removeFolder();
  }

  async #start(request: RunRequest): Promise<Child> {
    const { command, env, cwd } = this.#wrap(request);
    const [program = "", ...args] = command;
    // A group of its own, which is ended as one.
    const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    this.#children.add(child);
    try {
      await new Promise<void>((started, failed) => {
        child.once("spawn", started).once("error", failed);
      });
      return child;
    } catch (cause) {
      this.#children.delete(child);
      const why = cause instanceof Error ? cause.message : "unknown fault";
      throw new SandboxError(`a command cannot be started: ${why}`, { reason: "failed", cause });
    }
  }
}

function kill(child: Child): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM")))
      throw error;
  }
}

async function drain(stream: Readable, take: RunRequest["onStdout"], quiet: Quiet): Promise<void> {
  try {
    for await (const chunk of stream) {
      quiet.heard();
      const taken = take(chunk);
      if (taken !== undefined) await taken;
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE"))
      throw error;
  }
}

function feed(to: Writable, stdin: Readable | undefined): void {
  // A command need not read what it is given.
  to.on("error", () => undefined);
  if (stdin === undefined) {
    to.end();
    return;
  }
  // Its source may be closed once the command has ended; before that, the command meets the end of its input.
  stdin.on("error", () => to.destroy());
  stdin.pipe(to);
}

function numberOf(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}
