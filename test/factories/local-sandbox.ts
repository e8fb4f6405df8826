import { spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import type { ExecRequest, ExecResult, Sandbox } from "../../shared/ports/sandbox.ts";
import { temporaryFolder } from "./temporary.ts";

/** Runs real programs in a temporary folder, isolated from nothing: for commands that a test wrote itself. */
export function localSandbox(): Pick<Sandbox, "exec"> & { readonly workspace: string } {
  const workspace = temporaryFolder("sandbox");
  const running = new Set<number>();
  onTestFinished(() => {
    for (const pid of running) process.kill(-pid, "SIGKILL");
  });
  return { workspace, exec: (request, signal) => executed(request, { workspace, running, signal }) };
}

async function executed(
  { command, cwd, env, stdin, timeoutMs, maxOutputBytes }: ExecRequest,
  at: { readonly workspace: string; readonly running: Set<number>; readonly signal: AbortSignal | undefined },
): Promise<ExecResult> {
  const [program = "", ...args] = command;
  const started = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(program, args, {
    cwd: cwd ?? at.workspace,
    env: { PATH: process.env["PATH"], HOME: at.workspace, ...env },
    detached: true,
  });
  const pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on("data", (piece: Buffer) => pieces.stdout.push(piece));
  child.stderr.on("data", (piece: Buffer) => pieces.stderr.push(piece));
  let timedOut = false;
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeoutMs);
  at.signal?.addEventListener("abort", kill, { once: true });
  if (child.pid !== undefined) at.running.add(child.pid);
  child.once("error", (error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? resolve(127) : reject(error),
  );
  child.once("close", (code) => resolve(code ?? 137));
  child.stdin.on("error", () => undefined).end(stdin);
  const code = await promise;
  clearTimeout(timer);
  if (child.pid !== undefined) at.running.delete(child.pid);
  at.signal?.throwIfAborted();
  const stdout = cut(pieces.stdout, maxOutputBytes);
  const stderr = cut(pieces.stderr, maxOutputBytes);
  return {
    stdout: stdout.bytes,
    stderr: stderr.bytes,
    dropped: { stdout: stdout.dropped, stderr: stderr.dropped },
    end: timedOut ? { kind: "timeout" } : { kind: "exit", code },
    durationMs: performance.now() - started,
  };
}

function cut(
  pieces: readonly Buffer[],
  most: number,
): { readonly bytes: Uint8Array; readonly dropped: number } {
  const whole = Buffer.concat(pieces);
  if (whole.length <= most) return { bytes: whole, dropped: 0 };
  const head = Math.ceil(most / 2);
  const bytes = Buffer.concat([whole.subarray(0, head), whole.subarray(whole.length - (most - head))]);
  return { bytes, dropped: whole.length - most };
}
