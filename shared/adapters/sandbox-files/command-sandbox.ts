import { PassThrough, Readable } from "node:stream";
import { pack } from "tar-stream";
import type { Clock } from "../../ports/clock.ts";
import {
  type ExecRequest,
  type ExecResult,
  type RefusedTarget,
  type Sandbox,
  SandboxError,
  type SandboxFile,
  type SandboxSpec,
} from "../../ports/sandbox.ts";
import { confinedPath } from "../../sandbox/confined-path.ts";
import { HeadTail } from "../../sandbox/head-tail.ts";
import type { Runner, RunRequest } from "./runner.ts";
import type { SnapshotFiles } from "./snapshot-files.ts";
import { GET, MISSING, PACK, PUT, REFUSED, REPLACE, UNPACK } from "./workspace-scripts.ts";

/** Of one call of the file scripts. */
const FILES_TIMEOUT_MS = 120_000;
/** Files of one archive; their paths are arguments, of which a program can take so many. */
const BATCH = 500;
/** Exit code of a process that was ended by SIGKILL. */
const KILLED = 137;

export interface CommandSandboxParts {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly expiresAt: number;
  readonly runner: Runner;
  readonly snapshots: SnapshotFiles;
  readonly clock: Clock;
  /** A new sandbox of the same kind. */
  readonly create: (spec: SandboxSpec) => Promise<Sandbox>;
  /** Commands ran in it before, and some may have run out of memory. */
  readonly wasUsed?: boolean;
}

/** A sandbox in which everything is done by running commands; engines differ in how they run one. */
export class CommandSandbox implements Sandbox {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly expiresAt: number;
  readonly #parts: CommandSandboxParts;
  /** undefined: not counted yet. */
  #memoryKills: number | null | undefined;
  #closed = false;

  constructor(parts: CommandSandboxParts) {
    this.#parts = parts;
    this.#memoryKills = parts.wasUsed === true ? undefined : 0;
    this.id = parts.id;
    this.spec = parts.spec;
    this.expiresAt = parts.expiresAt;
  }

  async exec(request: ExecRequest, signal?: AbortSignal): Promise<ExecResult> {
    checkCommand(request);
    const { workspace } = this.spec;
    const cwd = request.cwd ?? workspace;
    if (this.#memoryKills === undefined) this.#memoryKills = await this.#parts.runner.memoryKills();
    const started = performance.now();
    const stdout = new HeadTail(request.maxOutputBytes);
    const stderr = new HeadTail(request.maxOutputBytes);
    const end = await this.#run({
      command: request.command,
      cwd: cwd.startsWith("/") ? cwd : `${workspace}/${cwd}`,
      ...(request.env === undefined ? {} : { env: request.env }),
      ...(request.stdin === undefined
        ? {}
        : { stdin: Readable.from([request.stdin], { objectMode: false }) }),
      onStdout: (chunk) => stdout.push(chunk),
      onStderr: (chunk) => stderr.push(chunk),
      timeoutMs: request.timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const result = {
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      dropped: { stdout: stdout.dropped, stderr: stderr.dropped },
      durationMs: performance.now() - started,
    };
    if (end.kind === "exit" && end.code === KILLED && (await this.#ranOutOfMemory())) {
      return { ...result, end: { kind: "out-of-memory" } };
    }
    return { ...result, end };
  }

  async put(files: readonly SandboxFile[]): Promise<void> {
    const confined = files.map((file) => ({ ...file, path: confinedPath(file.path, this.spec.workspace) }));
    for (let start = 0; start < confined.length; start += BATCH) {
      await this.#putBatch(confined.slice(start, start + BATCH));
    }
  }

  async #putBatch(files: readonly SandboxFile[]): Promise<void> {
    const folders = [...new Set(files.flatMap(({ path }) => ancestors(path)))].sort();
    const archive = pack();
    for (const { path, bytes, mode } of files) {
      archive.entry({ name: path, mode: mode ?? 0o644, size: bytes.length }, Buffer.from(bytes));
    }
    archive.finalize();
    const keeping = files.filter(({ mode }) => mode === undefined);
    const given = files.filter(({ mode }) => mode !== undefined);
    const paths = [...folders, ...[...keeping, ...given].map(({ path }) => path)];
    const args = [String(folders.length), String(keeping.length), ...paths];
    const { code, out, err } = await this.#script(PUT, args, {
      stdin: archive.pipe(new PassThrough()),
    });
    if (code === REFUSED) {
      const message = `${JSON.stringify(out)} in sandbox ${this.id} is a link or a file where a folder is needed; nothing is written through it`;
      throw new SandboxError(message, { reason: "refused" });
    }
    if (code !== 0) throw this.#failed("files cannot be written", err);
  }

  unpack(archive: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#extract(UNPACK, Readable.from(archive, { objectMode: false }));
  }

  async get(path: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array | "missing"> {
    const confined = confinedPath(path, this.spec.workspace);
    const chunks: Uint8Array[] = [];
    const { code, err } = await this.#script(GET, [confined, String(maxBytes + 1)], {
      onStdout: (chunk) => {
        chunks.push(chunk);
      },
    });
    if (code === MISSING) return "missing";
    if (code === REFUSED) {
      const message = `${JSON.stringify(confined)} in sandbox ${this.id} is no file of the workspace`;
      throw new SandboxError(message, { reason: "refused" });
    }
    if (code !== 0) throw this.#failed(`${JSON.stringify(confined)} cannot be read`, err);
    const bytes = Buffer.concat(chunks);
    if (bytes.length <= maxBytes) return bytes;
    const message = `${JSON.stringify(confined)} in sandbox ${this.id} is larger than ${maxBytes} bytes`;
    throw new SandboxError(message, { reason: "refused" });
  }

  async snapshot(): Promise<string> {
    const { id: sandbox, expiresAt } = this;
    const { diskBytes } = this.spec.limits;
    return this.#parts.snapshots.write({
      sandbox,
      expiresAt,
      // Headers and padding of many small files come on top.
      maxBytes: 2 * diskBytes + 2 ** 20,
      fill: async (write) => {
        const { code, err } = await this.#script(PACK, [], { onStdout: write });
        if (code !== 0) throw this.#failed("the workspace cannot be packed", err);
      },
    });
  }

  snapshots(): Promise<readonly string[]> {
    return this.#parts.snapshots.list(this.id);
  }

  async restore(snapshot: string): Promise<void> {
    const archive = await this.#parts.snapshots.read(this.id, snapshot);
    try {
      await this.endProcesses();
      await this.#extract(REPLACE, archive);
    } finally {
      archive.destroy();
    }
  }

  async branch(snapshot: string): Promise<Sandbox> {
    const archive = await this.#parts.snapshots.read(this.id, snapshot);
    try {
      const sandbox = await this.#parts.create(this.spec);
      try {
        await sandbox.unpack(archive);
        return sandbox;
      } catch (error) {
        await sandbox.close();
        throw error;
      }
    } finally {
      archive.destroy();
    }
  }

  refusedTargets(): Promise<readonly RefusedTarget[]> {
    return this.#parts.runner.refusedTargets();
  }

  async endProcesses(): Promise<void> {
    this.#remaining();
    await this.#parts.runner.endProcesses();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#parts.runner.remove();
    await this.#parts.snapshots.drop(this.id);
  }

  async #extract(script: string, archive: Readable): Promise<void> {
    const { code, err } = await this.#script(script, [], { stdin: archive });
    if (code !== 0) throw this.#failed("the archive cannot be unpacked", err);
  }

  async #ranOutOfMemory(): Promise<boolean> {
    const before = this.#memoryKills;
    this.#memoryKills = await this.#parts.runner.memoryKills();
    return this.#memoryKills !== null && this.#memoryKills > (before ?? this.#memoryKills);
  }

  async #script(
    script: string,
    args: readonly string[],
    io: { readonly stdin?: Readable; readonly onStdout?: RunRequest["onStdout"] },
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const stdout = new HeadTail(8192);
    const stderr = new HeadTail(8192);
    const { workspace } = this.spec;
    const end = await this.#run({
      command: ["/bin/sh", "-c", script, "gymline", workspace, ...args],
      cwd: workspace,
      ...(io.stdin === undefined ? {} : { stdin: io.stdin }),
      onStdout: io.onStdout ?? ((chunk) => stdout.push(chunk)),
      onStderr: (chunk) => stderr.push(chunk),
      timeoutMs: FILES_TIMEOUT_MS,
    });
    if (end.kind === "timeout") throw this.#failed("files are not read or written in time", "");
    return { code: end.code, out: textOf(stdout), err: textOf(stderr) };
  }

  #run(request: RunRequest): ReturnType<Runner["run"]> {
    const timeoutMs = Math.min(request.timeoutMs, this.#remaining());
    return this.#parts.runner.run({ ...request, timeoutMs });
  }

  /** @throws SandboxError where it is closed or its time is over */
  #remaining(): number {
    const left = this.expiresAt - this.#parts.clock.now();
    if (!this.#closed && left > 0) return left;
    const why = this.#closed ? "is closed" : "has reached the end of its lifetime";
    throw new SandboxError(`sandbox ${this.id} ${why}; create a new one`, { reason: "lost" });
  }

  #failed(what: string, stderr: string): SandboxError {
    const why = stderr.trim().split("\n").slice(0, 3).join("; ");
    return new SandboxError(`${what} in sandbox ${this.id}${why === "" ? "" : `: ${why}`}`, {
      reason: "failed",
    });
  }
}

function textOf(buffer: HeadTail): string {
  return new TextDecoder().decode(buffer.bytes());
}

/** `a/b/c` → `a`, `a/b`. */
function ancestors(path: string): readonly string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** @throws SandboxError */
function checkCommand({ command, env, cwd, timeoutMs, maxOutputBytes }: ExecRequest): void {
  const refuse = (why: string): SandboxError => new SandboxError(`the command ${why}`, { reason: "refused" });
  if (command[0] === undefined || command[0] === "")
    throw refuse("is empty; give a program and its arguments");
  const texts = [...command, cwd ?? "", ...Object.entries(env ?? {}).flat()];
  if (texts.some((text) => text.includes("\0"))) throw refuse("holds a zero character, which none can have");
  const name = Object.keys(env ?? {}).find((each) => each === "" || each.includes("="));
  if (name !== undefined) throw refuse(`has a variable named ${JSON.stringify(name)}`);
  if (!(timeoutMs > 0)) throw refuse(`has a time-out of ${timeoutMs} ms; give more than 0`);
  if (!(maxOutputBytes >= 0)) throw refuse(`has an output limit of ${maxOutputBytes} bytes`);
}
