import type { Trajectory } from "../../trajectory/schema.ts";
import { chatTools } from "./chat-tools.ts";

/** JSON text of a trajectory's tool definitions in OpenAI's form, "[]" where it has none. */
export function toolsText(trajectory: Pick<Trajectory, "agent">): string {
  return JSON.stringify(chatTools(trajectory.agent.tool_definitions ?? []));
}

/** The same; null where it has none. */
export function templateTools(trajectory: Pick<Trajectory, "agent">): string | null {
  return (trajectory.agent.tool_definitions ?? []).length === 0 ? null : toolsText(trajectory);
}
