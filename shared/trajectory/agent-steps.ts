import { contentText } from "./content.ts";
import type { Content, ObservationResult, Step, Trajectory } from "./schema.ts";

/** One tool call of an agent step, with what came back. */
export interface AgentCall {
  readonly id: string;
  readonly tool: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** All results of the call, joined; null where the log holds none. */
  readonly output: string | null;
  /** As the source gives it; null where it gives none. */
  readonly exitCode: number | null;
  readonly error: string | null;
  /** `text`: the call was parsed out of the message. */
  readonly from: "native" | "text";
}

/** One agent turn. */
export interface AgentStep {
  /** Position among the agent steps, from 0. */
  readonly index: number;
  /** `step_id` in the document, from 1. */
  readonly stepId: number;
  readonly message: string;
  /** Explicit reasoning; else the thought the source sets apart; else the text beside native calls; else "". */
  readonly thought: string;
  readonly calls: readonly AgentCall[];
  /** Observations that answer no particular call. */
  readonly observations: readonly string[];
  readonly step: Step;
}

/**
 * The agent's turns of a trajectory, in order, each with its calls and their outputs. Steps copied from an
 * earlier trajectory as context are left out: they are not this run's actions.
 */
export function agentSteps(trajectory: Pick<Trajectory, "steps">): readonly AgentStep[] {
  const turns: AgentStep[] = [];
  for (const step of trajectory.steps) {
    if (step.source !== "agent" || step.is_copied_context === true) continue;
    turns.push(agentStep(step, turns.length));
  }
  return turns;
}

function agentStep(step: Step, index: number): AgentStep {
  const byCall = new Map<string, ObservationResult[]>();
  const loose: string[] = [];
  for (const result of step.observation?.results ?? []) {
    if (typeof result.source_call_id !== "string") {
      loose.push(contentText(result.content));
      continue;
    }
    const list = byCall.get(result.source_call_id);
    if (list === undefined) byCall.set(result.source_call_id, [result]);
    else list.push(result);
  }
  const message = contentText(step.message as Content);
  const calls = (step.tool_calls ?? []).map((call): AgentCall => {
    const results = byCall.get(call.tool_call_id);
    const facts = results?.at(-1)?.extra?.gymline;
    return {
      id: call.tool_call_id,
      tool: call.function_name,
      params: call.arguments,
      output: results === undefined ? null : results.map((result) => contentText(result.content)).join("\n"),
      exitCode: facts?.exit_code ?? (facts?.is_error === true ? 1 : null),
      error: facts?.error ?? null,
      from: call.extra?.gymline?.from ?? "native",
    };
  });
  const native = calls.some((call) => call.from === "native");
  const thought = step.reasoning_content ?? step.extra?.gymline?.thought ?? (native ? message : "");
  return { index, stepId: step.step_id, message, thought, calls, observations: loose, step };
}
