import type { AllowList } from "../sandbox/allow-list.ts";

/** Limits and surroundings of one sandbox. Everything not allowed here is forbidden. */
export interface SandboxSpec {
  /** An image that is on the machine; what it names at creation is what runs, by content. */
  readonly image: string;
  /** Absolute; the only writable place besides /tmp. */
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
  /** `none`: no interface but loopback. Else an HTTP proxy, and by it what is on the list (sandbox/allow-list.ts). */
  readonly network: "none" | AllowList;
  readonly limits: SandboxLimits;
  /** What this sandbox is for, told by `list`: a run's name and an episode's. */
  readonly labels: Readonly<Record<string, string>>;
  /** Container runtime such as `runsc` (gVisor) or `kata-runtime`; absent: the engine's own. */
  readonly runtime?: string;
}

export interface SandboxLimits {
  /** Of the processes. Files of workspace and /tmp may lie in memory as well: an engine reserves `diskBytes` twice more. */
  readonly memoryBytes: number;
  /** Cores, fractions allowed. */
  readonly cpus: number;
  readonly pids: number;
  /** Of the workspace and of /tmp, each. */
  readonly diskBytes: number;
  /** Of the whole life of the sandbox. */
  readonly lifetimeMs: number;
}

export interface ExecRequest {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Absolute, or below the workspace. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  readonly timeoutMs: number;
  /** Of stdout and of stderr, each; what is over is dropped from the middle and counted. */
  readonly maxOutputBytes: number;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Bytes left out of the middle of stdout and of stderr. */
  readonly dropped: { readonly stdout: number; readonly stderr: number };
  readonly end:
    | { readonly kind: "exit"; readonly code: number }
    /** Ended with every process of the sandbox, also those of commands before. */
    | { readonly kind: "timeout" }
    | { readonly kind: "out-of-memory" };
  readonly durationMs: number;
}

export interface SandboxFile {
  /** Below the workspace, with `/` between names; no `..`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits. Where absent: 0o644, and a file that can be executed stays so. */
  readonly mode?: number;
}

/** What a sandbox with an allow-list asked for and did not get. */
export interface RefusedTarget {
  /** `host:port`, as the sandbox named it. */
  readonly target: string;
  readonly count: number;
}

/**
 * One isolated place with a workspace. Commands come one after another: a time-out ends whatever else runs.
 * All methods @throws SandboxError
 */
export interface Sandbox {
  readonly id: string;
  readonly spec: SandboxSpec;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** An abort ends the command as a time-out does, and rejects with the signal's reason. */
  exec(request: ExecRequest, signal?: AbortSignal): Promise<ExecResult>;
  /** Replaces what stands at the paths; a folder on the way that is a link is refused. */
  put(files: readonly SandboxFile[]): Promise<void>;
  /** Unpacks a tar archive in the workspace, links included; for folders that are too large for `put`. */
  unpack(archive: AsyncIterable<Uint8Array>): Promise<void>;
  /** Follows no link out of the workspace; `missing` where there is no such file. */
  get(path: string, options: { readonly maxBytes: number }): Promise<Uint8Array | "missing">;
  /** The state of the workspace, kept under an id until it is dropped. */
  snapshot(): Promise<string>;
  /** Ids of the snapshots, oldest first. */
  snapshots(): Promise<readonly string[]>;
  /** Workspace as it was at the snapshot; processes of the sandbox are ended. */
  restore(snapshot: string): Promise<void>;
  /** A second sandbox that begins at the snapshot. */
  branch(snapshot: string): Promise<Sandbox>;
  /** What its allow-list did not let through so far, most frequent first; of a long list the latest part. */
  refusedTargets(): Promise<readonly RefusedTarget[]>;
  /** Ends every process that commands have left running. */
  endProcesses(): Promise<void>;
  /** Removes the sandbox with its snapshots; may be called more than once. */
  close(): Promise<void>;
}

export interface SandboxSummary {
  readonly id: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly state: "running" | "ended";
}

export interface Sandboxes {
  readonly kind: "docker" | "process";
  create(spec: SandboxSpec, signal?: AbortSignal): Promise<Sandbox>;
  /** One that another process made; the beginning of an id is enough where it is the only one. */
  open(id: string): Promise<Sandbox>;
  list(): Promise<readonly SandboxSummary[]>;
  /** Removes what outlived its time, with snapshots and volumes; gives the ids. */
  reap(): Promise<readonly string[]>;
}

/** A sandbox cannot be had or has failed; never that a command in it did. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
  /** `unavailable`: no engine, no image; `lost`: the sandbox is gone; `refused`: the request is not allowed. */
  readonly reason: "unavailable" | "lost" | "refused" | "failed";
  constructor(message: string, options: ErrorOptions & { readonly reason: SandboxError["reason"] }) {
    super(message, options);
    this.reason = options.reason;
  }
}
