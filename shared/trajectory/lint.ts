import { contentText } from "./content.ts";
import type { Draft } from "./draft.ts";
import type { LintWarning } from "./gymline-extra.ts";
import type { Step } from "./schema.ts";

/** At most this many warnings of one kind name their step; the last one counts the rest. */
const LISTED = 5;

/**
 * What is odd about a log though it could be read: empty prompts, calls without an output, results without a call,
 * no agent turn at all, a log that stops in the middle. Warnings never quote content.
 */
export function lintTrajectory(draft: Draft): readonly LintWarning[] {
  const { steps } = draft.document;
  const warnings: LintWarning[] = [];
  const agents = steps.filter((step) => step.source === "agent");
  if (agents.length === 0) {
    warnings.push({ code: "zero-steps", message: "the agent never acts in this log" });
  }
  const firstUser = steps.find((step) => step.source === "user");
  if (firstUser === undefined) {
    warnings.push({ code: "no-prompt", message: "no user message says what the task was" });
  } else if (contentText(firstUser.message).trim() === "") {
    warnings.push({
      code: "empty-prompt",
      message: "the first user message is empty",
      step: firstUser.step_id,
    });
  }
  // The last turn may well end the run with a call that nothing answers.
  const open = agents.slice(0, -1).filter(hasUnansweredCall);
  warnings.push(...listed(open, "missing-output", "a tool call has no output"));
  const silent = agents.filter((step) => isIdle(step) && contentText(step.message).trim() === "");
  warnings.push(...listed(silent, "empty-turn", "the agent neither says nor does anything"));
  const orphans = steps.filter((step) =>
    (step.observation?.results ?? []).some((result) => result.extra?.gymline?.orphan_call_id !== undefined),
  );
  warnings.push(...listed(orphans, "orphan-output", "an output answers a call that is not in the log"));
  const last = steps.at(-1);
  if (draft.truncated === true) {
    warnings.push({ code: "truncated", message: "the log stops in the middle of a record" });
  } else if (last !== undefined && last.source !== "agent" && agents.length > 0) {
    warnings.push({
      code: "truncated",
      message: "the log ends before the agent answers",
      step: last.step_id,
    });
  }
  return warnings;
}

function isIdle(step: Step): boolean {
  return (step.tool_calls ?? []).length === 0 && (step.reasoning_content ?? "") === "";
}

function hasUnansweredCall(step: Step): boolean {
  const calls = step.tool_calls ?? [];
  if (calls.length === 0) return false;
  const answered = new Set((step.observation?.results ?? []).map((result) => result.source_call_id));
  return calls.some((call) => !answered.has(call.tool_call_id)) && !answered.has(undefined);
}

function* listed(steps: readonly Step[], code: string, message: string): Generator<LintWarning> {
  for (const step of steps.slice(0, LISTED)) yield { code, message, step: step.step_id };
  if (steps.length > LISTED) yield { code, message: `${message} (in ${steps.length - LISTED} more steps)` };
}
