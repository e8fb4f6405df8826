import type { EnvPorts } from "../../shared/env/registry.ts";
import { type SandboxEnv, sandboxEnv } from "../../shared/env/sandbox-env.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import type { Sandbox, SandboxSummary } from "../../shared/ports/sandbox.ts";
import { type ReplayedCall, type ReplayReport, replayTrajectory } from "../../shared/sandbox/replay.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { envPorts } from "./env-ports.ts";
import { EXIT } from "./exit-code.ts";
import { type EngineOptions, type LimitOptions, specOptions } from "./sandbox-options.ts";
import { many, note, out, printableLines, table } from "./terminal.ts";

/** Makes a sandbox that stays, with what the task begins with, and notes that state as its first snapshot. */
export async function createSandbox(task: EnvTask, options: EngineOptions & LimitOptions): Promise<void> {
  const ports = await envPorts(options.backend);
  const env = environment(ports, options);
  try {
    const { info } = await env.reset({ task });
    const snapshot = await env.snapshot();
    const id = String(info["sandboxId"]);
    const { expiresAt } = await ports.sandboxes.open(id);
    if (options.json === true) {
      out(JSON.stringify({ schema: "gymline.sandbox.v1", id, snapshot, expires_at: isoTime(expiresAt) }));
      return;
    }
    out(id);
    note(`ends by itself at ${isoTime(expiresAt)}; next: gymline sandbox exec ${id} -- ls -la`);
  } catch (error) {
    await env.close();
    throw error;
  }
}

function environment(ports: Required<EnvPorts>, options: LimitOptions): SandboxEnv {
  const { sandboxes, repositories, clock } = ports;
  return sandboxEnv({ sandboxes, repositories, clock, spec: specOptions(options) });
}

/** Runs a command, and ends as the command did. */
export async function execInSandbox(request: {
  readonly sandbox: Sandbox;
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly stdin: Uint8Array | undefined;
  readonly json: boolean;
}): Promise<void> {
  const { sandbox, command, timeoutMs, stdin, json } = request;
  const result = await sandbox.exec({
    command,
    timeoutMs,
    maxOutputBytes: 8 << 20,
    ...(stdin === undefined ? {} : { stdin }),
  });
  const { end, dropped, durationMs } = result;
  if (json) {
    const decoder = new TextDecoder();
    const [stdout, stderr] = [decoder.decode(result.stdout), decoder.decode(result.stderr)];
    const facts = { end, stdout, stderr, dropped, duration_ms: Math.round(durationMs) };
    out(JSON.stringify({ schema: "gymline.sandbox-exec.v1", ...facts }));
  } else {
    process.stdout.write(result.stdout);
    process.stderr.write(result.stderr);
    const left = dropped.stdout + dropped.stderr;
    if (left > 0) note(`[${left} bytes were left out of the middle of the output]`);
    if (end.kind === "timeout") note(`[timed out after ${timeoutMs / 1000} s; give --timeout for more]`);
    if (end.kind === "out-of-memory")
      note("[ended for want of memory; create the sandbox with more --memory]");
  }
  process.exitCode = end.kind === "exit" ? end.code : end.kind === "timeout" ? 124 : 137;
}

export function printSandboxes(sandboxes: readonly SandboxSummary[], json: boolean): void {
  if (json) {
    for (const { createdAt, expiresAt, ...rest } of sandboxes) {
      out(JSON.stringify({ ...rest, created_at: isoTime(createdAt), expires_at: isoTime(expiresAt) }));
    }
    return;
  }
  if (sandboxes.length === 0) {
    out("no sandboxes; gymline sandbox create makes one");
    return;
  }
  const columns = ["id", "state", "image", "created", "ends", "labels"].map((title) => ({ title, max: 60 }));
  const rows = sandboxes.map(({ id, state, image, createdAt, expiresAt, labels }) => {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    return [id, state, image, isoTime(createdAt), isoTime(expiresAt), pairs.join(" ")];
  });
  out(table(columns, rows));
}

/** Makes the calls of a recorded run again in a sandbox of its own. Exit code 2 where it diverges. */
export async function replayInSandbox(
  request: {
    readonly trajectory: Trajectory;
    readonly task: EnvTask;
    readonly exact: boolean;
    readonly beforeStep: number | undefined;
  },
  options: EngineOptions & LimitOptions,
): Promise<void> {
  const { trajectory, task, exact, beforeStep } = request;
  const env = environment(await envPorts(options.backend), options);
  try {
    const until = beforeStep === undefined ? {} : { beforeStep };
    const report = await replayTrajectory({ trajectory, env, task, exact, ...until });
    if (report.diverged > 0 || report.end === "ended-early") process.exitCode = EXIT.rejected;
    if (options.json === true) out(JSON.stringify({ schema: "gymline.replay.v1", ...report }));
    else printReplay(report);
  } finally {
    await env.close();
  }
}

function printReplay(report: ReplayReport): void {
  const columns = [
    { title: "step" },
    { title: "tool", max: 24 },
    { title: "exit code", align: "right" as const },
    { title: "verdict" },
  ];
  const code = ({ exitCode }: ReplayedCall): string => (exitCode === null ? "–" : String(exitCode));
  out(
    table(
      columns,
      report.calls.map((call) => [String(call.stepId), call.tool, code(call), call.verdict]),
    ),
  );
  const first = report.firstDivergence === null ? undefined : report.calls[report.firstDivergence];
  if (first?.difference?.in === "exit code") {
    const { recorded, replayed } = first.difference;
    out(`\nparts at step ${first.stepId}: exit code ${recorded} was recorded, now it is ${replayed}`);
  } else if (first?.difference !== undefined) {
    const { line, recorded, replayed } = first.difference;
    out(`\nparts at step ${first.stepId}, line ${line} of the observation:`);
    out(printableLines(`- ${recorded ?? "(no such line)"}\n+ ${replayed ?? "(no such line)"}`));
  }
  const made = `${many(report.calls.length, "call")} of ${report.recordedCalls} made`;
  const end = report.end === "ended-early" ? "; the episode ended before the rest" : "";
  const success = report.success === null ? "" : `; success: ${report.success ? "yes" : "no"}`;
  out(`\n${made}, ${report.diverged} diverged${end}${success}`);
}

function isoTime(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : "unknown";
}
