import type { Trajectory } from "../trajectory/schema.ts";
import type { RowFacts } from "./tally.ts";

/** What quality reports and checks need of a trajectory, whatever its row says. */
export function contentFacts({
  steps,
  extra,
}: Trajectory): Pick<RowFacts, "repo" | "steps" | "calls" | "redacted"> {
  const { task, redaction } = extra.gymline;
  const own = steps.filter(({ source, is_copied_context: copied }) => source === "agent" && copied !== true);
  const calls = new Map<string, number>();
  for (const { tool_calls: made = [] } of own) {
    for (const { function_name: tool } of made ?? []) calls.set(tool, (calls.get(tool) ?? 0) + 1);
  }
  return {
    repo: task.repo ?? null,
    steps: own.length,
    calls: Object.fromEntries(calls),
    redacted: redaction.by_type,
  };
}
