import { posix } from "node:path";
import type { ExecResult, Sandbox } from "../../ports/sandbox.ts";
import {
  filled,
  filledCommand,
  type HarnessBridge,
  HarnessError,
  type HarnessValues,
} from "./harness-bridge.ts";

export interface HarnessRequest {
  readonly bridge: HarnessBridge;
  readonly sandbox: Pick<Sandbox, "exec">;
  readonly task: { readonly id: string; readonly description: string };
  readonly model: string;
  readonly seed: number;
  readonly timeoutMs: number;
  /** US dollars; kept by the harness, where its command takes a limit. */
  readonly maxCostUsd?: number;
  readonly maxSteps?: number;
  /** Where `pass_env` is looked up. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export interface HarnessRun {
  /** Null where it wrote none. */
  readonly log: Uint8Array | null;
  readonly end: ExecResult["end"];
  /** The end of what it printed, for error messages. */
  readonly output: string;
}

/** Of what it prints only the end is looked at. */
const OUTPUT_BYTES = 16_384;
const SHOWN = 600;
const FILE_TIMEOUT_MS = 120_000;

/**
 * Runs a harness on a task in a sandbox and brings its log, as it is. A time-out ends it; the log it had written by then
 * comes back all the same.
 * @throws HarnessError where the log is too long; SandboxError; the signal's reason
 */
export async function runHarness(request: HarnessRequest, signal?: AbortSignal): Promise<HarnessRun> {
  const { bridge, sandbox, timeoutMs } = request;
  const values = valuesOf(request);
  await sandbox.exec(
    {
      command: ["mkdir", "-p", "--", posix.dirname(bridge.log)],
      timeoutMs: FILE_TIMEOUT_MS,
      maxOutputBytes: OUTPUT_BYTES,
    },
    signal,
  );
  const ran = await sandbox.exec(
    {
      command: filledCommand(bridge.command, values),
      env: envOf(request, values),
      timeoutMs,
      maxOutputBytes: OUTPUT_BYTES,
    },
    signal,
  );
  const log = await logOf(request, signal);
  return { log, end: ran.end, output: printed(ran) };
}

function valuesOf({ bridge, task, model, seed, maxCostUsd, maxSteps }: HarnessRequest): HarnessValues {
  return {
    ...{ task: task.description, task_id: task.id, model, seed: String(seed), log: bridge.log },
    ...(maxCostUsd === undefined ? {} : { max_cost: String(maxCostUsd) }),
    ...(maxSteps === undefined ? {} : { max_steps: String(maxSteps) }),
  };
}

function envOf(
  { bridge, variables }: HarnessRequest,
  values: HarnessValues,
): Readonly<Record<string, string>> {
  const passed = bridge.pass_env.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const own = Object.entries(bridge.env).map(([name, text]) => [name, filled(text, values)] as const);
  return Object.fromEntries([...passed, ...own]);
}

async function logOf(
  { bridge, sandbox }: HarnessRequest,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | null> {
  const read = await sandbox.exec(
    { command: ["cat", "--", bridge.log], timeoutMs: FILE_TIMEOUT_MS, maxOutputBytes: bridge.max_log_bytes },
    signal,
  );
  if (read.dropped.stdout > 0) {
    const bytes = read.stdout.length + read.dropped.stdout;
    throw new HarnessError(
      `${bridge.name} wrote a log of ${bytes} bytes; raise max_log_bytes (${bridge.max_log_bytes}), or limit its steps`,
    );
  }
  return read.end.kind === "exit" && read.end.code === 0 ? read.stdout : null;
}

function printed({ stdout, stderr }: ExecResult): string {
  const decoder = new TextDecoder();
  const words = [decoder.decode(stdout), decoder.decode(stderr)].map((text) => text.trim());
  return words
    .filter((text) => text !== "")
    .join("\n")
    .slice(-SHOWN);
}
