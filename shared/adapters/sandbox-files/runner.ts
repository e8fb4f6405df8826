import type { Readable } from "node:stream";
import type { RefusedTarget } from "../../ports/sandbox.ts";

/** Runs one command in a sandbox as its user. What an engine has to bring; the rest is the same for all. */
export interface Runner {
  /**
   * @throws SandboxError where the command cannot be started or the sandbox is gone
   * @throws the signal's reason, after everything was ended
   */
  run(request: RunRequest): Promise<RunEnd>;
  /** Ends every process of the sandbox's user. */
  endProcesses(): Promise<void>;
  /** How often the kernel has ended a process for want of memory; null where that cannot be known. */
  memoryKills(): Promise<number | null>;
  /** What the sandbox's allow-list did not let through. */
  refusedTargets(): Promise<readonly RefusedTarget[]>;
  /** Removes the sandbox; what is gone already is no fault. */
  remove(): Promise<void>;
}

export interface RunRequest {
  readonly command: readonly string[];
  /** Absolute, as the sandbox sees it. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Readable;
  /** Awaited before more is read. */
  readonly onStdout: (chunk: Uint8Array) => void | Promise<void>;
  readonly onStderr: (chunk: Uint8Array) => void | Promise<void>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export type RunEnd = { readonly kind: "exit"; readonly code: number } | { readonly kind: "timeout" };
