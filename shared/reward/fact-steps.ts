import { agentSteps } from "../trajectory/agent-steps.ts";
import { contentText } from "../trajectory/content.ts";
import type { Content, Trajectory } from "../trajectory/schema.ts";
import type { FactStep } from "./trajectory-facts.ts";

/** The agent steps of a document as the facts are worked out of, each with what was said to the agent after it. */
export function factSteps(trajectory: Pick<Trajectory, "steps">): readonly FactStep[] {
  const replies = repliesByStep(trajectory);
  return agentSteps(trajectory).map((step) => ({
    message: step.message,
    thought: step.thought,
    replies: [...step.observations, ...(replies.get(step.stepId) ?? [])],
    calls: step.calls.map((call) => ({
      tool: call.tool,
      params: call.params,
      output: call.output ?? "",
      exitCode: call.exitCode,
    })),
  }));
}

/** User messages by the `step_id` of the agent step before them; what stands before the first is the task. */
function repliesByStep({ steps }: Pick<Trajectory, "steps">): ReadonlyMap<number, readonly string[]> {
  const replies = new Map<number, string[]>();
  let last: string[] | null = null;
  for (const step of steps) {
    if (step.source === "agent" && step.is_copied_context !== true) {
      last = [];
      replies.set(step.step_id, last);
    } else if (step.source === "user") last?.push(contentText(step.message as Content));
  }
  return replies;
}
