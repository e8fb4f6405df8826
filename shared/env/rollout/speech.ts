import type { AgentEnv } from "../protocol.ts";

/**
 * What becomes of an answer without calls. `respond`: it is said to the user by the tool `respond`, as if called;
 * `nudge`: the agent is told to act; `end`: the episode is cut off.
 */
export type TextTurns = "respond" | "nudge" | "end";

/** `respond` where the environment has a tool of that name that takes a `message`, else `nudge`. */
export function speechOf(env: AgentEnv, wanted: TextTurns | undefined): TextTurns {
  const canRespond = env.tools.some(({ name, parameters }) => {
    const properties = parameters["properties"];
    return (
      name === "respond" && typeof properties === "object" && properties !== null && "message" in properties
    );
  });
  if (wanted === undefined) return canRespond ? "respond" : "nudge";
  return wanted === "respond" && !canRespond ? "nudge" : wanted;
}

/** What an agent is told that has called nothing, where nobody answers. */
export function nudgeOf(env: AgentEnv): string {
  const names = env.tools.map(({ name }) => name).join(", ");
  return `You called no tool, so nothing happened. Go on with one of these: ${names}.`;
}
