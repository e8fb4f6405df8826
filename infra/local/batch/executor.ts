import type { Container } from "./container.ts";

/** One attempt to run: what, with which variables, and where its output goes. */
export interface AttemptOrder {
  readonly taskId: string;
  readonly jobId: string;
  readonly definitionName: string;
  readonly container: Container;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** How a started attempt ended by itself, or that it was lost with its host. */
export type Exit =
  | { readonly kind: "exited"; readonly exitCode: number; readonly reason?: string }
  | { readonly kind: "lost" };

/**
 * An attempt that has all it needs but does not run yet. Its handle is kept before it runs, so that no runner's death
 * can leave an attempt that nobody knows of. It never runs if the runner dies before it begins.
 */
export interface PreparedAttempt {
  readonly handle: string;
  /** @throws Error where it cannot run; its message becomes the attempt's reason */
  begin(): Promise<RunningAttempt>;
}

/** An attempt under way. */
export interface RunningAttempt {
  /** Never rejects. */
  readonly ended: Promise<Exit>;
  /** Asks it to end (SIGTERM), and makes it end (SIGKILL) when the grace is over. */
  stop(graceSeconds: number): void;
}

/** Runs attempts: as containers, or as plain processes. */
export interface Executor {
  /** @throws Error where it cannot run; its message becomes the attempt's reason */
  prepare(order: AttemptOrder): Promise<PreparedAttempt>;
  /** Finds an attempt that an earlier runner began, or makes sure that it runs no longer and returns null. */
  recover(handle: string, logFile: string): Promise<RunningAttempt | null>;
  /** Removes what earlier runners of this folder left behind, except these attempts. */
  clear(keep: readonly string[]): Promise<void>;
}
