import type { AgentEnv, StepInfo } from "../env/protocol.ts";
import type { EnvTask } from "../env/task.ts";
import { agentSteps } from "../trajectory/agent-steps.ts";
import type { Trajectory } from "../trajectory/schema.ts";

/** How one call went when it was made again. */
export interface ReplayedCall {
  /** `step_id` in the trajectory. */
  readonly stepId: number;
  readonly callId: string;
  readonly tool: string;
  /** null where the environment gives none. */
  readonly exitCode: number | null;
  /** What the trajectory has; null where it has none. */
  readonly recordedExitCode: number | null;
  readonly verdict: "same" | "diverged" | "unrecorded";
  /** Where it diverged. */
  readonly difference?: ReplayDifference;
}

export type ReplayDifference =
  | { readonly in: "exit code"; readonly recorded: number; readonly replayed: number }
  | {
      readonly in: "observation";
      /** From 1. */
      readonly line: number;
      /** The line on each side, cut to 200 characters; null after the last. */
      readonly recorded: string | null;
      readonly replayed: string | null;
    };

export interface ReplayReport {
  readonly calls: readonly ReplayedCall[];
  /** Calls that the trajectory has, whether they were reached or not. */
  readonly recordedCalls: number;
  readonly diverged: number;
  /** Place in `calls` of the first that diverged. */
  readonly firstDivergence: number | null;
  /** `ended-early`: the episode was over before the last recorded call. */
  readonly end: "all" | "ended-early" | "stopped";
  /** What the environment said at the end of the episode; null where it did not come to one. */
  readonly success: boolean | null;
  readonly reward: number;
}

export interface ReplayOptions {
  readonly trajectory: Pick<Trajectory, "steps">;
  readonly env: AgentEnv;
  /** null: the environment has been reset already. */
  readonly task: EnvTask | null;
  readonly seed?: number;
  /** Stop before this `step_id`: the state from which another way may be tried. */
  readonly beforeStep?: number;
  /** Compare what differs from run to run, too: durations, times of day, addresses in memory. */
  readonly exact?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Makes the recorded calls of a trajectory again, one after another, and compares what comes back. It goes on after a
 * divergence, since one that matters shows in what follows. The environment stays open, in the state that was reached.
 */
export async function replayTrajectory(options: ReplayOptions): Promise<ReplayReport> {
  const { env, task, signal } = options;
  if (task !== null) {
    await env.reset({
      task,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
  const recorded = agentSteps(options.trajectory).flatMap(({ stepId, calls }) =>
    calls.map((call) => ({ stepId, call })),
  );
  const calls: ReplayedCall[] = [];
  let reward = 0;
  let last: StepInfo | undefined;
  let stopped = false;
  for (const { stepId, call } of recorded) {
    if (stepId >= (options.beforeStep ?? Number.POSITIVE_INFINITY)) {
      stopped = true;
      break;
    }
    const step = await env.step({ tool: call.tool, params: call.params, callId: call.id }, signal);
    reward += step.reward;
    const difference = differenceOf({
      recorded: { text: call.output, exitCode: call.exitCode },
      replayed: { text: step.observation, exitCode: step.info.exitCode ?? null },
      exact: options.exact === true,
    });
    calls.push({
      stepId,
      callId: call.id,
      tool: call.tool,
      exitCode: step.info.exitCode ?? null,
      recordedExitCode: call.exitCode,
      verdict:
        call.output === null && call.exitCode === null
          ? "unrecorded"
          : difference === undefined
            ? "same"
            : "diverged",
      ...(difference === undefined ? {} : { difference }),
    });
    if (step.done) {
      last = step.info;
      break;
    }
  }
  const first = calls.findIndex(({ verdict }) => verdict === "diverged");
  return {
    calls,
    recordedCalls: recorded.length,
    diverged: calls.filter(({ verdict }) => verdict === "diverged").length,
    firstDivergence: first < 0 ? null : first,
    end: stopped ? "stopped" : calls.length < recorded.length ? "ended-early" : "all",
    success: last?.success ?? null,
    reward,
  };
}

interface Side {
  readonly text: string | null;
  readonly exitCode: number | null;
}

function differenceOf(sides: {
  readonly recorded: Side;
  readonly replayed: Side;
  readonly exact: boolean;
}): ReplayDifference | undefined {
  const { recorded, replayed, exact } = sides;
  if (recorded.exitCode !== null && replayed.exitCode !== null && recorded.exitCode !== replayed.exitCode) {
    return { in: "exit code", recorded: recorded.exitCode, replayed: replayed.exitCode };
  }
  if (recorded.text === null) return undefined;
  const left = linesOf(recorded.text, exact);
  const right = linesOf(replayed.text ?? "", exact);
  const length = Math.max(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [left[index], right[index]];
    if (a === b) continue;
    const cut = (line: string | undefined): string | null => line?.slice(0, 200) ?? null;
    return { in: "observation", line: index + 1, recorded: cut(a), replayed: cut(b) };
  }
  return undefined;
}

/** What differs between two runs of the same command though they did the same. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b\d+(?:\.\d+)? ?(?:ms|s|sec|seconds?)\b/g, "<duration>"],
  [/\b\d{1,2}:\d{2}:\d{2}(?:\.\d+)?\b/g, "<time>"],
  [/\b0x[0-9a-f]{6,}\b/gi, "<address>"],
  [/\bduration_ms \d+(?:\.\d+)?/g, "duration_ms <duration>"],
];

function linesOf(text: string, exact: boolean): readonly string[] {
  const trimmed = text.trimEnd();
  if (exact) return trimmed.split("\n");
  let masked = trimmed;
  for (const [pattern, mark] of VARYING) masked = masked.replace(pattern, mark);
  // A bar of a summary is as long as what it says leaves room for.
  return masked
    .replace(/={3,}/g, "===")
    .split("\n")
    .map((line) => line.trimEnd());
}
