import { type HarnessBridge, HarnessError } from "../agents/harness/harness-bridge.ts";
import { type HarnessRun, runHarness } from "../agents/harness/run-harness.ts";
import type { Verdict } from "../env/protocol.ts";
import { type Sandbox, SandboxError } from "../ports/sandbox.ts";
import type { Format } from "../trajectory/format.ts";
import type { EpisodeContext, EpisodeOutput, EpisodeRunner } from "./episode-runner.ts";
import { type HarnessFacts, harnessFacts, labelledLog } from "./harness-log.ts";
import type { EpisodePlan } from "./plan-episodes.ts";

/** Where a harness works: a sandbox with the task in it, and what judges it afterwards. */
export interface HarnessPlace {
  prepare(plan: EpisodePlan, signal?: AbortSignal): Promise<Pick<Sandbox, "exec">>;
  verdict(signal?: AbortSignal): Promise<Verdict>;
  close(): Promise<void>;
}

export interface HarnessRunnerOptions {
  readonly bridge: HarnessBridge;
  /** That of `bridge.format`. */
  readonly format: Format;
  readonly model: string;
  readonly makePlace: () => HarnessPlace;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly maxCostUsd?: number;
  readonly maxSteps?: number;
}

/** Lets an existing harness attempt tasks in a sandbox; its own log is what is dropped. */
export function harnessRunner(options: HarnessRunnerOptions): EpisodeRunner {
  let place: HarnessPlace | null = null;
  const close = async (): Promise<void> => {
    const open = place;
    place = null;
    await open?.close();
  };
  return {
    run: async (plan, context) => {
      place ??= options.makePlace();
      try {
        return await attempt(place, { plan, context, options });
      } catch (error) {
        // A place in which something broke is not used again; that it cannot be closed says nothing new.
        await close().catch(() => undefined);
        context.signal?.throwIfAborted();
        return failed({ error, run: null, facts: null });
      }
    },
    close,
  };
}

async function attempt(
  place: HarnessPlace,
  parts: {
    readonly plan: EpisodePlan;
    readonly context: EpisodeContext;
    readonly options: HarnessRunnerOptions;
  },
): Promise<EpisodeOutput> {
  const { plan, context, options } = parts;
  const { bridge, format, model, variables, timeoutMs, maxCostUsd, maxSteps } = options;
  const { signal } = context;
  const sandbox = await place.prepare(plan, signal);
  const run = await runHarness(
    {
      ...{ bridge, sandbox, model, variables, timeoutMs, seed: plan.seed },
      task: { id: plan.taskId, description: plan.task.description ?? "" },
      ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
      ...(maxSteps === undefined ? {} : { maxSteps }),
    },
    signal,
  );
  if (run.log === null) return failed({ error: noLog(bridge, run), run, facts: null });
  let facts: HarnessFacts;
  try {
    facts = harnessFacts(run.log, format);
  } catch (error) {
    return failed({ error, run, facts: null, extension: bridge.extension });
  }
  context.onTurn(facts.turns);
  if (run.end.kind === "out-of-memory" || (run.end.kind === "exit" && run.end.code !== 0)) {
    const error = new HarnessError(`${bridge.name} ${endText(run)}: ${run.output || "it printed nothing"}`);
    return failed({ error, run, facts, extension: bridge.extension });
  }
  const verdict = await place.verdict(signal);
  return doneOutput({
    run,
    facts,
    verdict,
    bytes: droppedLog(run.log, { verdict, plan, context, bridge }),
    bridge,
  });
}

function doneOutput(parts: {
  readonly run: HarnessRun;
  readonly facts: HarnessFacts;
  readonly verdict: Verdict;
  readonly bytes: Uint8Array;
  readonly bridge: HarnessBridge;
}): EpisodeOutput {
  const { run, facts, verdict, bytes, bridge } = parts;
  const { success, score } = verdict;
  return {
    kind: "done",
    ...{ success, score, turns: facts.turns, steps: facts.calls, error: null },
    reward: verdict.reward ?? score ?? (success === true ? 1 : 0),
    stop: run.end.kind === "timeout" ? "timeout" : (facts.exitStatus ?? "ended"),
    tokens: facts.tokens,
    costUsd: facts.costUsd,
    document: { bytes, extension: bridge.extension },
  };
}

function droppedLog(
  log: Uint8Array,
  about: {
    readonly verdict: Verdict;
    readonly plan: EpisodePlan;
    readonly context: EpisodeContext;
    readonly bridge: HarnessBridge;
  },
): Uint8Array {
  const { verdict, plan, context, bridge } = about;
  if (bridge.labels === "none") return log;
  return labelledLog(log, {
    instance_id: plan.taskId,
    ...(verdict.success === null ? {} : { resolved: verdict.success }),
    ...(verdict.tests === undefined
      ? {}
      : { tests_passed: verdict.tests.passed, tests_failed: verdict.tests.failed }),
    gymline: { run: context.run, attempt: plan.attempt, seed: plan.seed, bridge: bridge.version },
  });
}

function failed(of: {
  readonly error: unknown;
  readonly run: HarnessRun | null;
  readonly facts: HarnessFacts | null;
  readonly extension?: string;
}): EpisodeOutput {
  const { error, run, facts, extension } = of;
  const known = error instanceof Error ? error : new Error(String(error));
  const log = run?.log ?? null;
  return {
    kind: "failed",
    ...{ success: null, score: null, reward: 0, turns: facts?.turns ?? 0, steps: facts?.calls ?? 0 },
    stop: error instanceof SandboxError ? `sandbox_error:${error.reason}` : "harness_error",
    error: { name: known.name, message: known.message },
    tokens: facts?.tokens ?? null,
    costUsd: facts?.costUsd ?? null,
    document: log === null || extension === undefined ? null : { bytes: log, extension },
  };
}

function noLog(bridge: HarnessBridge, run: HarnessRun): HarnessError {
  return new HarnessError(
    `${bridge.name} ${endText(run)} and wrote no log at ${bridge.log}: ${run.output || "it printed nothing"}`,
  );
}

function endText({ end }: HarnessRun): string {
  if (end.kind === "exit") return `ended with exit code ${end.code}`;
  return end.kind === "timeout" ? "ran out of time" : "ran out of memory";
}
