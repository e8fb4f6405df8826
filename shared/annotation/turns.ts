import { agentSteps } from "../trajectory/agent-steps.ts";
import { contentText } from "../trajectory/content.ts";
import type { Trajectory } from "../trajectory/schema.ts";

/** A step of a trajectory as people read it: a message to the agent, or a turn of the agent. */
export type Turn =
  | { readonly kind: "message"; readonly source: "system" | "user" | "context"; readonly text: string }
  | {
      readonly kind: "agent";
      /** Position among the agent steps, from 0. */
      readonly index: number;
      readonly thought: string;
      /** "" where the thought says the same. */
      readonly message: string;
      readonly calls: readonly TurnCall[];
      readonly observations: readonly string[];
    };

export interface TurnCall {
  readonly tool: string;
  readonly arguments: readonly { readonly name: string; readonly text: string }[];
  /** null: the log holds no result of the call. */
  readonly output: string | null;
  readonly exitCode: number | null;
}

/** Characters of one text that are kept: nobody reads more, and a page of logs must still open. */
const LONGEST = 20_000;

/** The steps of a trajectory for people to read, in order. Copied context is shown, but is no turn of the agent. */
export function turnsOf(trajectory: Pick<Trajectory, "steps">, longest = LONGEST): readonly Turn[] {
  const agents = new Map(agentSteps(trajectory).map((turn) => [turn.stepId, turn]));
  return trajectory.steps.map((step): Turn => {
    const agent = agents.get(step.step_id);
    if (agent === undefined) {
      const results = (step.observation?.results ?? []).map(({ content }) => contentText(content));
      const text = [contentText(step.message), ...results].filter((part) => part !== "").join("\n\n");
      const source = step.source === "agent" || step.is_copied_context === true ? "context" : step.source;
      return { kind: "message", source, text: shortened(text, longest) };
    }
    return {
      kind: "agent",
      index: agent.index,
      thought: shortened(agent.thought, longest),
      message: agent.message === agent.thought ? "" : shortened(agent.message, longest),
      calls: agent.calls.map((call) => ({
        tool: call.tool,
        arguments: Object.entries(call.params).map(([name, value]) => ({
          name,
          text: shortened(typeof value === "string" ? value : JSON.stringify(value), longest),
        })),
        output: call.output === null ? null : shortened(call.output, longest),
        exitCode: call.exitCode,
      })),
      observations: agent.observations.map((text) => shortened(text, longest)),
    };
  });
}

/** The turns as one plain text, for services that show no more than that. At most `longest` characters or so. */
export function turnsText(turns: readonly Turn[], longest: number): string {
  return shortened(turns.map(turnText).join("\n\n"), longest);
}

function turnText(turn: Turn): string {
  if (turn.kind === "message") return `[${turn.source}]\n${turn.text}`;
  const calls = turn.calls.map((call) => {
    const given = call.arguments.map(({ name, text }) => `${name}: ${text}`).join("\n");
    const exit = call.exitCode === null ? "" : ` (exit ${call.exitCode})`;
    return `[call] ${call.tool}\n${given}\n[result]${exit}\n${call.output ?? "(none in the log)"}`;
  });
  const parts = [
    turn.thought,
    turn.message,
    ...calls,
    ...turn.observations.map((text) => `[result]\n${text}`),
  ];
  return [`[agent, step ${turn.index + 1}]`, ...parts.filter((part) => part !== "")].join("\n");
}

/** Beginning and end of a text that is too long: what a command printed last often matters most. */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const tail = Math.floor(longest / 4);
  const left = text.length - longest;
  // A cut through a surrogate pair would leave half a character.
  const [start, end] = [text.slice(0, longest - tail), text.slice(text.length - tail)].map((part) =>
    part.toWellFormed(),
  );
  return `${start}\n… ${left} characters left out …\n${end}`;
}
