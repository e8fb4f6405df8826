import type { CallFacts } from "../call-facts.ts";
import type { StepFacts } from "../trajectory-facts.ts";
import { type SignalRule, stepsText } from "./signal.ts";

/**
 * How an environment that answers in words says no. Looked for at the start of what came back, since what
 * follows may be anything.
 */
const refusal =
  /could not be (?:applied|parsed|found)|can(?:not|'t) be (?:applied|parsed)|\b(?:not valid|invalid)\b|no (?:edits?|tool calls?|actions?)\b.{0,20}(?:can|found|parsed)|try again|must include|exactly one|not precise|did not resolve|tests? (?:have )?failed|failed to |format error|malformed/i;

export function drawsRefusal(step: StepFacts): boolean {
  return step.replies.some((reply) => refusal.test(reply.slice(0, 300)));
}

/** Share of steps that were not answered by a refusal in words. Text-mode agents have no other failures. */
export const refusedReplies: SignalRule = ({ facts }) => {
  const answered = facts.steps.filter((step) => step.replies.length > 0);
  if (answered.length === 0) return null;
  const refused = answered.filter(drawsRefusal);
  return {
    score: 1 - refused.length / answered.length,
    message:
      refused.length === 0
        ? "no step was answered by a refusal"
        : `${stepsText(refused.map(({ index }) => index))} answered by a refusal`,
  };
};

/**
 * A run should end because the agent was done: not in the middle of work (the last step of a coding agent is a
 * call that does not hand in), and not with a refusal for an answer.
 */
export const ending: SignalRule = ({ facts }) => {
  const last = facts.steps.at(-1);
  if (last === undefined) return null;
  if (drawsRefusal(last)) return { score: 0, message: `step ${last.index}, the last, was refused` };
  const call = last.calls.at(-1);
  if (facts.domain === "coding" && call !== undefined && call.role !== "submit") {
    return { score: 0, message: `ends with step ${last.index} in the middle of work` };
  }
  return { score: 1, message: "ends where the agent was done" };
};

/** The last test run, or else the last command or tool whose result is known, should have gone well. */
export const lastResult: SignalRule = ({ facts }) => {
  let result: { readonly call: CallFacts; readonly good: boolean } | null = null;
  for (const call of facts.calls) {
    const good = goodOf(call);
    if (good !== null) result = { call, good };
  }
  if (result === null) return null;
  const what = result.call.tests === null ? "last command" : "last test run";
  const { step } = result.call.view.at;
  return {
    score: result.good ? 1 : 0,
    message: `${what} (step ${step}) ${result.good ? "went well" : "failed"}`,
  };
};

function goodOf(call: CallFacts): boolean | null {
  if (call.tests !== null && call.tests.verdict !== "unknown") return call.tests.verdict === "passed";
  return (call.role === "command" || call.role === "tool") && call.failed !== null ? !call.failed : null;
}
