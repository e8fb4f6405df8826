import { estimateTokens } from "../judge/tokens.ts";
import { contentText } from "../trajectory/content.ts";
import type { Trajectory } from "../trajectory/schema.ts";

/** All texts of a trajectory that a model reads or writes: tools, reasoning, messages, calls and results. */
export function* trajectoryTexts({ agent, steps }: Pick<Trajectory, "agent" | "steps">): Generator<string> {
  for (const tool of agent.tool_definitions ?? []) yield JSON.stringify(tool);
  for (const { message, reasoning_content: reasoning, tool_calls: calls, observation } of steps) {
    if (reasoning) yield reasoning;
    yield contentText(message);
    for (const call of calls ?? []) {
      // One that was written as text stands in the message.
      if (call.extra?.gymline?.from !== "text") yield call.function_name + JSON.stringify(call.arguments);
    }
    for (const { content } of observation?.results ?? []) yield contentText(content);
  }
}

/** Estimated from characters; see `estimateTokens`. */
export function estimatedTokens(trajectory: Pick<Trajectory, "agent" | "steps">): number {
  let tokens = 0;
  for (const text of trajectoryTexts(trajectory)) tokens += estimateTokens(text);
  return tokens;
}
