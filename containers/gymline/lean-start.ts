import { isMainThread } from "node:worker_threads";

/** Commands that go through all logs or the whole store, with compute threads beside them. */
const LARGE: ReadonlySet<string> = new Set(["run", "export", "reprocess", "job"]);

/** A half of the young generation, in MiB. By itself V8 takes 64 on a large machine, and fills both halves. */
const SEMI_SPACE = "--max-semi-space-size";
const SEMI_SPACE_MIB = 16;

/** Places that the C library takes small memory from: by itself one for each of a dozen threads, none ever empty. */
const ARENAS = "MALLOC_ARENA_MAX";

export interface Start {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

type Started = Pick<NodeJS.Process, "argv" | "execArgv" | "execPath" | "env">;

/**
 * How this program is to be started so that it keeps to little memory: both limits can be set at the start of a
 * process only. Nothing where that is of no use, or where it was started with limits already, ours or the user's.
 */
export function leanStart({ argv, execArgv, execPath, env }: Started): Start | undefined {
  const command = argv.slice(2).find((arg) => !arg.startsWith("-")) ?? "";
  const limited = [...execArgv, env["NODE_OPTIONS"] ?? ""].some((option) =>
    // V8 takes either spelling.
    option.replaceAll("_", "-").includes(SEMI_SPACE),
  );
  if (!LARGE.has(command) || limited) return undefined;
  return {
    file: execPath,
    args: [execPath, `${SEMI_SPACE}=${SEMI_SPACE_MIB}`, ...execArgv, ...argv.slice(1)],
    env: { [ARENAS]: "2", ...env },
  };
}

/** Becomes such a start, in the same process; elsewhere than on Linux and macOS it goes on as it is. */
export function startLean(): void {
  const start = leanStart(process);
  // A parent's channel would be gone.
  if (start === undefined || !isMainThread || process.connected) return;
  if (!["linux", "darwin"].includes(process.platform)) return;
  process.execve?.(start.file, start.args, start.env);
}
