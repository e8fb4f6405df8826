import { type AgentStep, agentSteps } from "../trajectory/agent-steps.ts";
import { contentText } from "../trajectory/content.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import type { FieldBudgets } from "./config.ts";
import { excerpt, quoted, visibleName } from "./evidence-text.ts";

/** The part of a trajectory that a judge looks at. */
export interface JudgedTrajectory extends Pick<Trajectory, "steps"> {
  readonly extra?: { readonly gymline?: { readonly task?: { readonly description?: string | undefined } } };
}

/** A trajectory as a judge sees it. */
export interface JudgeView {
  /** Quoted lines; "" where the log names no task. */
  readonly task: string;
  readonly steps: readonly StepView[];
}

/** One agent step, ready to stand in a prompt. */
export interface StepView {
  readonly index: number;
  /** In full, within the budgets. */
  readonly text: string;
  /** Tool, target and outcome in a few words, for steps that are not shown. */
  readonly summary: string;
}

const MOST_CALLS = 8;
const HINT = 48;

/** The agent's steps, with what users said before each. */
export function judgeView(trajectory: JudgedTrajectory, budgets: FieldBudgets): JudgeView {
  const { description, shownUserStep } = taskOf(trajectory);
  const said = userTexts(trajectory, shownUserStep);
  return {
    task: description === "" ? "" : quoted(excerpt(description, budgets.task)),
    steps: agentSteps(trajectory).map((step) => ({
      index: step.index,
      text: stepText(step, said[step.index] ?? [], budgets),
      summary: stepSummary(step),
    })),
  };
}

function taskOf(trajectory: JudgedTrajectory): {
  readonly description: string;
  /** Position of the user message that stands for the task; -1 where none does. */
  readonly shownUserStep: number;
} {
  const named = trajectory.extra?.gymline?.task?.description;
  const first = trajectory.steps.findIndex(
    (step) => step.source === "user" && step.is_copied_context !== true,
  );
  const message = contentText(trajectory.steps[first]?.message);
  if (named === undefined || named.trim() === "") return { description: message, shownUserStep: first };
  // Agents often wrap the task in instructions of their own; then the description alone is enough.
  return { description: named, shownUserStep: message.includes(named.trim()) ? first : -1 };
}

/** What users said since the agent's step before, by agent step. */
function userTexts(
  trajectory: Pick<Trajectory, "steps">,
  shownUserStep: number,
): readonly (readonly string[])[] {
  const texts: string[][] = [];
  let waiting: string[] = [];
  for (const [position, step] of trajectory.steps.entries()) {
    if (step.is_copied_context === true) continue;
    if (step.source === "user" && position !== shownUserStep) waiting.push(contentText(step.message));
    if (step.source !== "agent") continue;
    texts.push(waiting);
    waiting = [];
  }
  return texts;
}

function stepText(step: AgentStep, said: readonly string[], budgets: FieldBudgets): string {
  const lines: string[] = [];
  const part = (title: string, text: string, budget: number): void => {
    if (text.trim() !== "") lines.push(`${title}:`, quoted(excerpt(text, budget)));
  };
  part("user", said.join("\n"), budgets.user);
  lines.push(`step ${step.index}`);
  part("thought", step.thought, budgets.thought);
  const message = messageOf(step);
  part("message", message, step.calls.length === 0 ? budgets.message : budgets.thought);
  const shown = step.calls.slice(0, MOST_CALLS);
  const each = (budget: number): number => Math.max(60, Math.floor(budget / Math.max(1, shown.length)));
  for (const call of shown) {
    lines.push(`call ${visibleName(call.tool)}:`);
    lines.push(quoted(excerpt(argumentText(call.params), each(budgets.arguments))));
    const title = call.exitCode === null ? "result" : `result (exit ${call.exitCode})`;
    if (call.output === null) lines.push("result: none recorded");
    else if (call.output.trim() === "") lines.push(`${title}: empty`);
    else part(title, closeUp(call.output), each(budgets.result));
    if (call.error !== null && call.error !== "") part("error", call.error, each(budgets.result));
  }
  if (step.calls.length > shown.length)
    lines.push(`further calls not shown: ${step.calls.length - shown.length}`);
  part("observation", step.observations.join("\n"), budgets.result);
  return lines.join("\n");
}

/** A message that only repeats the thought is left out, and so is the call that it holds, which is shown anyway. */
function messageOf(step: AgentStep): string {
  if (step.message === step.thought) return "";
  const call = step.calls.find(({ from }) => from === "text");
  if (call === undefined) return step.message;
  if (step.thought !== "") return "";
  const longest = Object.values(call.params)
    .filter((value) => typeof value === "string")
    .reduce((best, value) => (value.length > best.length ? value : best), "");
  const start = longest === "" ? -1 : step.message.indexOf(longest.slice(0, HINT));
  return start < 0 ? step.message : withoutOpening(step.message.slice(0, start).trimEnd());
}

/** The text without the code fence or tag at its end, which opened a call. */
function withoutOpening(text: string): string {
  const end = text.slice(-HINT);
  return text.slice(0, text.length - end.length) + end.replace(/(?:```\w*|<[^<>\n]*>)$/, "");
}

/** Outputs are indented, padded and ruled more than they need to be to be understood. */
function closeUp(output: string): string {
  return output.replace(/ {3,}|\t{2,}/g, "  ").replace(/([-=_*#~.])\1{4,}/g, "$1$1$1");
}

/** `name: text` a line for plain arguments, which costs fewer tokens than JSON with its escapes. */
function argumentText(params: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(params);
  const [only] = entries;
  // The tool says what its one argument is.
  if (entries.length === 1 && typeof only?.[1] === "string") return only[1];
  return entries
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("\n");
}

function outcomeOf(call: AgentStep["calls"][number]): string {
  if (call.exitCode !== null) return `exit ${call.exitCode}`;
  if (call.error !== null) return "error";
  return call.output === null ? "unknown" : "returned";
}

function stepSummary(step: AgentStep): string {
  const [first, ...others] = step.calls;
  if (first === undefined) return "message";
  const hint = Object.values(first.params).find((value) => typeof value === "string" && value.trim() !== "");
  const target = typeof hint === "string" ? ` ${visibleName(hint.trim(), HINT)}` : "";
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  return `${visibleName(first.tool)}${target}: ${outcomeOf(first)}${more}`;
}
