import { paramKey } from "../reward/param-key.ts";
import { type AgentCall, agentSteps } from "../trajectory/agent-steps.ts";
import { contentText } from "../trajectory/content.ts";
import type { Step, Trajectory } from "../trajectory/schema.ts";
import { generaliseAction, generaliseLine, piecesOf } from "./generalise.ts";
import { hashText } from "./hash.ts";

/**
 * What a trajectory did and saw, as one 32-bit hash for each action and each line, in order: four bytes a unit, at
 * most `MAX_UNITS` of each kind. Near-duplicates are found from traces alone.
 */
export interface TrajectoryTrace {
  /** Hash of the instructions: attempts at one task share it. */
  readonly task: number;
  /** Calls with generalised arguments, line by line where an argument has several, and messages without a call. */
  readonly actions: Uint32Array;
  /** Lines of tool results and of what the user said once the agent had begun. */
  readonly outputs: Uint32Array;
}

/** Actions, and lines of output, that count; a trace takes 128 KiB at the most. */
export const MAX_UNITS = 16_384;

const ACTION = 1;
const OUTPUT = 2;

/** Arguments in which an agent comments on its call: they do not make it another action. */
const REMARKS: ReadonlySet<string> = new Set([
  ...["security_risk", "summary", "explanation", "description", "thought", "reasoning"],
]);

/**
 * Reads a trace off a trajectory. System prompts, tool listings, instructions (what the user said before the agent
 * began), thoughts and copied context do not count.
 */
export function traceOf(trajectory: Pick<Trajectory, "steps">): TrajectoryTrace {
  const actions: number[] = [];
  const outputs: number[] = [];
  const turns = new Map(agentSteps(trajectory).map((turn) => [turn.step, turn]));
  let begun = false;
  for (const step of trajectory.steps) {
    if (step.is_copied_context === true) continue;
    const turn = turns.get(step);
    if (turn !== undefined) {
      begun = true;
      for (const call of turn.calls) addCall(call, actions);
      if (turn.calls.length === 0) addLines(turn.message, { kind: ACTION, to: actions });
      for (const { output } of turn.calls) addLines(output ?? "", { kind: OUTPUT, to: outputs });
      for (const text of turn.observations) addLines(text, { kind: OUTPUT, to: outputs });
    } else if (begun) {
      if (step.source === "user") addLines(contentText(step.message), { kind: OUTPUT, to: outputs });
      for (const result of step.observation?.results ?? []) {
        addLines(contentText(result.content), { kind: OUTPUT, to: outputs });
      }
    }
  }
  const task = hashText(instructionsOf(trajectory).map(generaliseLine).join("\n"));
  return { task, actions: Uint32Array.from(actions), outputs: Uint32Array.from(outputs) };
}

/** What the user said before the agent began. */
export function instructionsOf({ steps }: Pick<Trajectory, "steps">): readonly string[] {
  const first = steps.findIndex((step) => step.source === "agent" && step.is_copied_context !== true);
  const before: readonly Step[] = first < 0 ? steps : steps.slice(0, first);
  return before.filter(({ source }) => source === "user").map(({ message }) => contentText(message));
}

interface Target {
  readonly kind: number;
  readonly to: number[];
}

function addLines(text: string, { kind, to }: Target): void {
  if (text === "") return;
  for (const piece of piecesOf(text)) {
    if (to.length >= MAX_UNITS) return;
    to.push(hashText(generaliseLine(piece), kind));
  }
}

/** One unit for the call with its short arguments, then one for each line of its long ones. */
function addCall({ tool, params }: AgentCall, to: number[]): void {
  let head = tool;
  const lines: string[] = [];
  for (const key of Object.keys(params).sort()) {
    if (REMARKS.has(key)) continue;
    const value = params[key];
    const [only = "", ...more] = piecesOf(typeof value === "string" ? value : paramKey({ value }));
    if (more.length === 0) head += `\u0000${key}\u0000${generaliseAction(only)}`;
    else for (const line of [only, ...more]) lines.push(`${key}\u0000${generaliseAction(line)}`);
  }
  for (const unit of [head, ...lines]) {
    if (to.length >= MAX_UNITS) return;
    to.push(hashText(unit, ACTION));
  }
}
